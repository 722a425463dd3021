import { describe, expect, test } from "@jest/globals";
import { childEnvironment } from "../src/environment.js";

const host = {
  PATH: "/bin",
  HOME: "/home/u",
  LANG: "C",
  LC_ALL: "C",
  TZ: "UTC",
  TMPDIR: "/t",
  SECRET: "s",
  TOKEN: "t",
  ANYPLUG_CHANNEL: "fd:3,3",
};

describe("the environment of a plugin", () => {
  test("holds nothing that was not asked for", () => {
    expect(childEnvironment({}, host)).toEqual({
      PATH: "/bin",
      HOME: "/home/u",
      LANG: "C",
      LC_ALL: "C",
      TZ: "UTC",
      TMPDIR: "/t",
    });
  });

  test("takes the variables that are named", () => {
    expect(childEnvironment({ inheritEnv: ["TOKEN"], env: { MORE: "1", TZ: "CET" } }, host)).toMatchObject({
      TOKEN: "t",
      MORE: "1",
      TZ: "CET",
    });
    expect(childEnvironment({ inheritEnv: ["TOKEN"] }, host)).not.toHaveProperty("SECRET");
  });

  test("takes all when asked, but what is denied and the host's own channel", () => {
    expect(childEnvironment({ inheritEnv: true, envDenylist: ["SECRET", "HOME"] }, host)).toEqual({
      PATH: "/bin",
      LANG: "C",
      LC_ALL: "C",
      TZ: "UTC",
      TMPDIR: "/t",
      TOKEN: "t",
    });
  });
});
