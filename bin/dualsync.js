#!/usr/bin/env node
// Old syntax on purpose: this file must run on any Node to say that the version is too old.
var parts = process.versions.node.split(".");
if (Number(parts[0]) < 20 || (Number(parts[0]) === 20 && Number(parts[1]) < 19)) {
  process.stderr.write(
    "error: dualsync needs Node 20.19 or newer; this is Node " + process.versions.node + ".\n",
  );
  process.exitCode = 2;
} else {
  import("../dist/cli.js").then(
    (cli) => cli.main(),
    (error) => {
      process.stderr.write(
        "error: dualsync is not installed completely: " + (error && error.code) + "\n  Install it again.\n",
      );
      process.exitCode = 70;
    },
  );
}
