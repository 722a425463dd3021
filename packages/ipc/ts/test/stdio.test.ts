import { describe, expect, test } from "@jest/globals";
import { Prelude } from "../src/stdio.js";

const hello = "anyplug\n\x03\0\0\0\x01\0\0\0\0\0\0\0abc";

/** What all of `text` turned out to be, given in pieces of this size. */
function tell(text: string, piece: number): { printed: string; channel: string } {
  const told = { printed: "", channel: "" };
  const prelude = new Prelude((bytes) => {
    told.printed += Buffer.from(bytes).toString("latin1");
  });
  for (let at = 0; at < text.length; at += piece) {
    told.channel += Buffer.from(prelude.filter(Buffer.from(text.slice(at, at + piece), "latin1"))).toString("latin1");
  }
  prelude.end();
  return told;
}

describe("on stdout", () => {
  test.each(["", "a line\n", "any", "anyanyplug", "anyplug\n", "anyplug\nanyplug\n and more"])(
    "%j before the magic was printed by the program",
    (printed) => {
      for (const piece of [1, 2, 3, 7, 8, 9, 100])
        expect(tell(printed + hello, piece)).toEqual({ printed, channel: hello });
    },
  );

  test("all was printed when there is no magic", () => {
    expect(tell("no channel\nanyplu", 4)).toEqual({ printed: "no channel\nanyplu", channel: "" });
  });

  test("text that looks like the magic is not held back for long", () => {
    let printed = "";
    new Prelude((bytes) => {
      printed += Buffer.from(bytes).toString();
    }).filter(Buffer.from("anyplug\nready\n"));
    expect(printed).toBe("anyplug\nready\n");
  });
});
