/** `npm run bench`: what anyplug costs, beside its peers and what is physically possible. Written so that an old Node can still say what is wrong. */
import process from "node:process";
import { checkPrerequisites, explainMissing, nodeIsRecent, thisMachine } from "../bootstrap/prerequisites.mjs";

if (nodeIsRecent(process.versions.node)) {
  import("./main.mjs").then(({ main }) => main(process.argv.slice(2)));
} else {
  console.error(explainMissing(checkPrerequisites(thisMachine()).missing));
  process.exitCode = 1;
}
