# The edge with its model, and the demo to try it with. docs/deployment.md says how it is run.
FROM node:20-bookworm-slim AS build
WORKDIR /src
# Of every workspace, since the lock is of them all; only the edge and the demo are built.
COPY package.json package-lock.json .npmrc turbo.json tsconfig.base.json ./
COPY bench/package.json bench/
COPY test/package.json test/
COPY examples examples
COPY packages packages
COPY scripts scripts
COPY models/nano/bundle models/nano/bundle
RUN npm ci && npx turbo run build --filter=@microturn/edge --filter=@microturn/example-demo
# The prebuilt worker where it can be had, else built from mediasoup's sources, which takes minutes.
RUN node scripts/provide-worker.mjs /usr/local/bin/mediasoup-worker
# From here on what runs, and nothing that builds.
RUN npm ci --omit=dev --workspace=@microturn/edge --workspace=@microturn/protocol

FROM node:20-bookworm-slim
# An init, and what a worker that was built here is linked to; the prebuilt one needs none of it.
RUN apt-get update \
  && apt-get install -y --no-install-recommends tini libssl3 libuv1 libsrtp2-1 libusrsctp2 libabsl20220623 libflatbuffers2 \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o node -g node /var/lib/microturn
WORKDIR /app
COPY --from=build /usr/local/bin/mediasoup-worker /usr/local/bin/
COPY --from=build /src/package.json ./
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/packages/protocol packages/protocol
COPY --from=build /src/packages/edge packages/edge
COPY --from=build /src/models/nano/bundle models/nano/bundle
COPY --from=build /src/examples/demo/dist demo
COPY docker/healthcheck.mjs ./
ENV NODE_ENV=production \
  MEDIASOUP_WORKER_BIN=/usr/local/bin/mediasoup-worker \
  MICROTURN_HOST=0.0.0.0 \
  MICROTURN_STATE_FOLDER=/var/lib/microturn
VOLUME /var/lib/microturn
USER node
EXPOSE 7880/tcp 7881/udp 7881/tcp
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["node", "healthcheck.mjs"]
STOPSIGNAL SIGTERM
# The first process of a container gets no signal that it has no handler for yet, and every orphan: Node is not it.
ENTRYPOINT ["tini", "--", "node", "packages/edge/dist/main.js"]
CMD ["start"]
