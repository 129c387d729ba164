#!/usr/bin/env node
"use strict";
// Starts the binary of the package for this platform and ends as it does.

const { spawnSync } = require("node:child_process");

const program = process.platform === "win32" ? "stanch.exe" : "stanch";
const name = `stanch-${process.platform}-${process.arch}`;
let binary;
try {
  binary = require.resolve(`${name}/bin/${program}`);
} catch {
  // A gate that cannot look must not say that all is well.
  console.error(`error: the package ${name} is not installed, so nothing was checked`);
  console.error("  npm leaves it out with --omit=optional, and there is none for every platform; see the README of stanch");
  process.exit(2);
}
const { status, signal, error } = spawnSync(binary, process.argv.slice(2), { stdio: "inherit" });
if (error) {
  console.error(`error: cannot start ${binary}: ${error.message}`);
  process.exit(2);
}
if (signal) {
  process.kill(process.pid, signal);
}
process.exit(status ?? 2);
