/**
 * How to build mediasoup-worker from the sources in its npm package, with the libraries of a Debian system. Only data:
 * `lib/worker.mjs` follows it, and names its cache after a hash of it. README.md tells the story.
 */

/** Debian packages that the build needs. */
export const aptPackages = [
  'meson',
  'ninja-build',
  'pkg-config',
  'g++',
  'libssl-dev',
  'libuv1-dev',
  'libsrtp2-dev',
  'libusrsctp-dev',
  'libabsl-dev',
  'libflatbuffers-dev',
  'flatbuffers-compiler',
];

/** Changes to the sources. Each `find` must occur exactly once, so that a new mediasoup cannot slip past them. */
export const edits = [
  {
    // Debian 12 has meson 1.0, and the build uses nothing newer.
    file: 'meson.build',
    find: "meson_version: '>= 1.1.0'",
    replace: "meson_version: '>= 1.0.0'",
  },
  {
    // The flag is or-ed to the operation. Compared with ==, every BIO control call answers 1: an OpenSSL with kTLS
    // (Debian's) then believes that kernel TLS is on, allocates no write buffer, and the worker dies with SIGSEGV at the
    // first DTLS handshake.
    file: 'src/RTC/DtlsTransport.cpp',
    find: 'operationType == BIO_CB_RETURN)',
    replace: 'operationType & BIO_CB_RETURN)',
  },
];

/** Arguments of `meson setup`. io_uring stays out: its library would be one more download. */
export const mesonSetup = ['--buildtype', 'release', '-Dms_disable_liburing=true', '-Db_ndebug=true'];

/** Built in this order: nothing else makes the worker wait for its generated headers when flatc is the system's. */
export const ninjaTargets = ['fbs/FBS', 'mediasoup-worker'];
