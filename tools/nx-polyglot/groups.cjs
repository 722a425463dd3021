/**
 * `build`, `lint` and `test`: each stands for all targets whose name starts with it, and does nothing itself.
 *
 * @param {Record<string, object>} targets the inferred targets
 * @returns {Record<string, object>} the groups
 */
function groupTargets(targets) {
  const groups = {};
  for (const group of ["build", "lint", "test"]) {
    const members = Object.keys(targets).filter((name) => name.startsWith(`${group}-`));
    groups[group] = { executor: "nx:noop", dependsOn: members, cache: false };
  }
  return groups;
}

module.exports = { groupTargets };
