// One loop for all clients.
require("net").createServer({ noDelay: true }, (client) => client.pipe(client))
    .listen({ host: "127.0.0.1", port: Number(process.argv[2]), backlog: 4096 });
