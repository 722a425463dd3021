/** `npm run matrix`: every behaviour in every cell of host, plugin and transport. Written so that an old Node can still say what is wrong. */
import process from "node:process";
import { checkPrerequisites, explainMissing, nodeIsRecent, thisMachine } from "../bootstrap/prerequisites.mjs";

if (nodeIsRecent(process.versions.node)) {
  import("./main.mjs").then(({ main }) => main(process.argv.slice(2)));
} else {
  console.error(explainMissing(checkPrerequisites(thisMachine()).missing));
  process.exitCode = 1;
}
