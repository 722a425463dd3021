/** What is measured, beside what, and what is aimed at. */
import { agentGroups } from "./tables/agents.mjs";
import { callGroups } from "./tables/calls.mjs";
import { codecGroups } from "./tables/codecs.mjs";
import { codegenGroups } from "./tables/codegen.mjs";
import { directGroups } from "./tables/direct.mjs";
import { idleGroups } from "./tables/idle.mjs";
import { moduleGroups } from "./tables/modules.mjs";
import { nativeGroups } from "./tables/native.mjs";
import { socketGroups } from "./tables/sockets.mjs";

/** Returns the groups of tables of the chosen sections and languages; the contenders of a group take turns. */
export function groups({ only, languages }) {
  const all = [
    ...codecGroups(),
    ...callGroups(),
    ...socketGroups(),
    ...directGroups(),
    ...moduleGroups(),
    ...nativeGroups(),
    ...agentGroups(),
    ...idleGroups(),
    ...codegenGroups(),
  ];
  return all.filter(({ section, language }) => only.includes(section) && languages.includes(language));
}
