// Elements, made in one expression. Texts become text nodes only, so nothing that a model writes can become markup.

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "open", "selected", "indeterminate"]);

const given = (children) => children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);

function make(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (PROPERTIES.has(name)) element[name] = value;
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...given(children));
  return element;
}

/** An HTML element. Attributes that begin with `on` are listeners; `null` and `false` leave an attribute or a child out. */
export function h(name, attributes = {}, ...children) {
  return make(document.createElement(name), attributes, children);
}

/** An SVG element. */
export function svg(name, attributes = {}, ...children) {
  return make(document.createElementNS(SVG, name), attributes, children);
}

/** Puts children in the place of those that an element has; `null` and `false` are left out. */
export function fill(element, ...children) {
  element.replaceChildren(...given(children));
}

let last = 0;

/** An id that no other element has. */
export function unique() {
  last += 1;
  return `e${last}`;
}
