# openray in a container: docs/how-to/docker.md.
# Debian, since the embedded engine needs glibc: there is none for musl (Alpine).
FROM node:24-bookworm-slim AS build
WORKDIR /openray
COPY . .
RUN npm ci --ignore-scripts && npm run build
# Installs again, from the same lock file, only what the server needs: npm would also install vitest, an optional peer of
# openray.
RUN npm pkg delete peerDependencies --workspace server \
  && npm ci --ignore-scripts --omit=dev --workspace server

FROM node:24-bookworm-slim
WORKDIR /opt/openray
COPY LICENSE ./
COPY --from=build /openray/node_modules ./node_modules
COPY --from=build /openray/server/package.json ./server/package.json
COPY --from=build /openray/server/bin ./server/bin
COPY --from=build /openray/server/dist ./server/dist
COPY --from=build /openray/server/migrations ./server/migrations
COPY --from=build /openray/server/runtimes ./server/runtimes
COPY --from=build /openray/console/dist ./console/dist
# The data directory exists before the volume does, so that a new volume belongs to the same user.
RUN ln -s /opt/openray/server/bin/openray.cjs /usr/local/bin/openray \
  && install --directory --owner=node --group=node /var/lib/openray
ENV OPENRAY_DATA_DIR=/var/lib/openray
VOLUME /var/lib/openray
WORKDIR /functions
# The user `node`, by number: Kubernetes can check only a number against `runAsNonRoot`.
USER 1000
# No port is exposed: openray listens on loopback only, so that a published port leads nowhere.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.OPENRAY_PORT ?? 2000}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["openray"]
CMD ["serve"]
