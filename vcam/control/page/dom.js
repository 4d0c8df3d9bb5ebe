// Elements from code: texts are only ever texts, so that nothing a name holds can become markup.

/** An element. props: properties, except for data-*, aria-* and the like, which are attributes. */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.includes("-") || name === "for" || name === "role" || name === "list") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** Tell of something that went wrong, or well. It goes by itself, or by its button. */
export function notice(text, hint = "", kind = "error") {
  const box = el("div", { class: `notice ${kind}` },
    el("p", {}, el("b", {}, text), hint ? el("span", {}, hint) : null),
    el("button", { type: "button", class: "icon", "aria-label": "Dismiss", onclick: () => box.remove() }, "×"));
  byId("notices").append(box);
  while (byId("notices").children.length > 3) byId("notices").firstChild.remove();
  setTimeout(() => box.remove(), kind === "error" ? 12000 : 5000);
}

/** "person_brightness" as people write it. */
export function words(key, prefix = "") {
  const text = key.slice(key.startsWith(prefix) ? prefix.length : 0).replaceAll("_", " ").trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
