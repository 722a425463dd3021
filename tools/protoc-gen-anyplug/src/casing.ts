/**
 * Names as the generators beside us write them. A stub refers to messages that another generator named, so these follow
 * their rules to the letter: heck's (which prost uses); and what is written here keeps to what users know, from ts-proto and betterproto2.
 */

/** heck's words: `HTTPRequest2Go` gives `HTTP`, `Request2`, `Go`. */
function words(name: string): string[] {
  const result: string[] = [];
  for (const part of name.split(/[^\p{L}\p{N}]+/u)) {
    const characters = [...part];
    let word = "";
    let mode = "";
    for (const [index, character] of characters.entries()) {
      word += character;
      const next = characters[index + 1];
      if (next === undefined) continue;
      const nextMode = isLower(character) ? "lower" : isUpper(character) ? "upper" : mode;
      if (nextMode === "lower" && isUpper(next)) {
        result.push(word);
        word = "";
        mode = "";
      } else if (mode === "upper" && isUpper(character) && isLower(next)) {
        if (word.length > character.length) result.push(word.slice(0, -character.length));
        word = character;
        mode = "";
      } else {
        mode = nextMode;
      }
    }
    if (word !== "") result.push(word);
  }
  return result;
}

/** `GetURLs` gives `get_ur_ls`, as prost does. */
export const snakeCase = remembered((name) =>
  words(name)
    .map((word) => word.toLowerCase())
    .join("_"),
);

/** `get_urls` gives `GetUrls`, as prost does. */
export const upperCamelCase = remembered((name) =>
  words(name)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase())
    .join(""),
);

/** A method's name in TypeScript: `Reply` gives `reply`, `GetURL` gives `getURL`, `get_url` gives `getUrl`. */
export function camelCase(name: string): string {
  const joined = name.replace(/_+([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase()).replaceAll("_", "");
  return joined.charAt(0).toLowerCase() + joined.slice(1);
}

/** A name in TypeScript of a field, or of a message or enum without those around it: `user_name` gives `userName`, `Http_Request` gives `HttpRequest`. */
export function lowerCamelCase(name: string): string {
  if (!name.includes("_")) return name;
  const keepCase = /[a-z]/.test(name);
  return name
    .split("_")
    .map((word) => (keepCase ? word : word.toLowerCase()))
    .map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1)))
    .join("");
}

/** betterproto2's name of a class; nested names come joined by dots. */
export function betterprotoClassName(name: string): string {
  return name.replace(
    /([^a-zA-Z0-9]*)([A-Z]+(?![a-z])[0-9]*|[A-Z]*[a-z]*[0-9]*)/g,
    (_, _symbols: string, word: string) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase(),
  );
}

/** betterproto2's name of a field or method, before keywords are looked at. */
export function betterprotoSnakeCase(name: string): string {
  if (name.includes("_") || !/[A-Z]/.test(name)) return name;
  return name
    .replace(/(?<=[a-z0-9])([A-Z])/g, "_$1")
    .replace(/(?<=[A-Z])([A-Z])(?=[a-z])/g, "_$1")
    .replace(/(?<=[a-zA-Z])([0-9])/g, "_$1")
    .toLowerCase();
}

/** A schema says the same names again and again. */
function remembered(adapt: (name: string) => string): (name: string) => string {
  const known = new Map<string, string>();
  return (name) => {
    let adapted = known.get(name);
    if (adapted === undefined) {
      adapted = adapt(name);
      known.set(name, adapted);
    }
    return adapted;
  };
}

function isLower(character: string): boolean {
  return /\p{Ll}/u.test(character);
}

function isUpper(character: string): boolean {
  return /\p{Lu}/u.test(character);
}
