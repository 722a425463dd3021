/** `npm start`: set everything up, run the matrix, talk to ELIZA. Written so that an old Node can still say what is wrong. */
import process from "node:process";
import { checkPrerequisites, explainMissing, nodeIsRecent, thisMachine } from "./prerequisites.mjs";

if (nodeIsRecent(process.versions.node)) {
  import("./start/main.mjs").then(({ main }) => main(process.argv.slice(2)));
} else {
  console.error(explainMissing(checkPrerequisites(thisMachine()).missing));
  process.exitCode = 1;
}
