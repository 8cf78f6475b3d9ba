/**
 * Imported first by every command. It uses, and so do the modules after it, only names that older versions also have:
 * an import that fails to link would hide the message.
 */
const OLDEST = [20, 19];

/**
 * @param {string} version "20.19.4"
 * @param {number[]} oldest major and minor
 */
export function isNewEnough(version, [major, minor] = OLDEST) {
  const [haveMajor, haveMinor] = version.split('.').map(Number);
  return haveMajor > major || (haveMajor === major && haveMinor >= minor);
}

if (!isNewEnough(process.versions.node)) {
  console.error(
    `Microturn needs Node.js ${OLDEST.join('.')} or newer; this is ${process.versions.node}.\n` +
      '  Install a current LTS, for example with `nvm install --lts` or from your system, and run the command again.',
  );
  process.exit(1);
}
