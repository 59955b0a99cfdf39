// Draws one entry's form of the service's description, and saves each keystroke.
const ROWS_AT_FIRST = 1;

export class Form {
  // `context`: fields, options (by noun), words, photos (), save (name, values), reshape (work).
  constructor(context) {
    Object.assign(this, context);
    this.at = {};
    this.more = {};
  }

  draw(place, entry) {
    this.entry = entry;
    this.at = entry.at ?? {};
    const open = new Set([...place.querySelectorAll("details[open]")].map((each) => each.dataset.name));
    const first = place.childElementCount === 0;
    place.replaceChildren(...this.fields.flatMap((each) => this.#section(each)), ...this.#lists());
    [...place.querySelectorAll("details")].forEach((each, index) => {
      each.open = open.has(each.dataset.name) || each.querySelector(".wrong") !== null || (first && index === 0);
    });
  }
  // What another window has typed, where this one is not typing.
  take(place, entry) {
    this.entry = entry;
    for (const input of place.querySelectorAll("[name]")) {
      if (input === document.activeElement || input.type === "checkbox") continue;
      const value = (entry.typed[input.name] ?? [""])[0];
      if (input.value !== value) input.value = value;
    }
  }
  // Names of needed inputs that are empty: what the service would refuse is said before the network is back.
  missing(fields = this.fields, prefix = "") {
    return fields.flatMap((each) => {
      const name = prefix + each.name;
      if (each.kind === "group") {
        if (!each.required && !this.#filled(name)) return [];
        return this.missing(each.fields, `${name}.`);
      }
      if (each.kind === "rows") {
        const rows = [...Array(this.#rows(name)).keys()].filter((row) => this.#filled(`${name}.${row}`));
        return rows.flatMap((row) => this.missing(each.fields, `${name}.${row}.`));
      }
      return each.required && !(this.entry.typed[name] ?? []).some((value) => value.trim()) ? [name] : [];
    });
  }

  #filled(name) {
    return Object.entries(this.entry.typed).some(([each, values]) => each.startsWith(`${name}.`) && values.some((value) => value.trim()));
  }
  #rows(name) {
    const found = Object.keys(this.entry.typed).filter((each) => each.startsWith(`${name}.`));
    return Math.max(0, ...found.map((each) => Number(each.slice(name.length + 1).split(".")[0]) + 1));
  }
  #section(field) {
    // The form's own groups are sections: one of a phone's screen at a time.
    if (field.kind === "group" && field.fields.some((each) => ["group", "rows"].includes(each.kind))) {
      const plain = field.fields.filter((each) => !["group", "rows"].includes(each.kind));
      const parts = field.fields.filter((each) => ["group", "rows"].includes(each.kind)).map((each) => this.#details(each, `${field.name}.`));
      return plain.length ? [...parts, ...plain.map((each) => this.#input(each, `${field.name}.`))] : parts;
    }
    return [["group", "rows"].includes(field.kind) ? this.#details(field, "") : this.#input(field, "")];
  }
  #details(field, prefix) {
    const made = element("details", { className: "section" }, element("summary", {}, field.label));
    made.dataset.name = prefix + field.name;
    made.append(...this.#within(field, prefix));
    return made;
  }
  #within(field, prefix) {
    const name = prefix + field.name;
    if (field.kind === "group") return field.fields.map((each) => this.#part(each, `${name}.`));
    const count = Math.max(this.#rows(name) + (this.more[name] ?? 0), ROWS_AT_FIRST);
    const rows = [...Array(count).keys()].map((row) => {
      const made = element("fieldset", { className: "row" }, element("legend", {}, String(row + 1)));
      made.append(...field.fields.map((each) => this.#part(each, `${name}.${row}.`)));
      made.append(this.#button(this.words.remove_row.replace("{n}", row + 1), () => this.#removeRow(name, row)));
      return made;
    });
    const add = this.#button(`${this.words.add_row}: ${field.label}`, () => {
      this.more[name] = count - this.#rows(name) + 1;
      this.redraw();
    });
    return [...rows, add];
  }
  #part(field, prefix) {
    if (!["group", "rows"].includes(field.kind)) return this.#input(field, prefix);
    const made = element("fieldset", { className: "group" }, element("legend", {}, field.label));
    made.append(...this.#within(field, prefix));
    return made;
  }
  #removeRow(name, row) {
    if (this.#rows(name) <= row) {
      this.more[name] = Math.max(0, (this.more[name] ?? 0) - 1);
      this.redraw();
      return;
    }
    this.reshape((typed) => {
      const moved = {};
      for (const [each, values] of Object.entries(typed)) {
        const found = each.startsWith(`${name}.`) ? /^(\d+)\.(.*)$/.exec(each.slice(name.length + 1)) : null;
        if (found === null || Number(found[1]) < row) moved[each] = values;
        else if (Number(found[1]) > row) moved[`${name}.${found[1] - 1}.${found[2]}`] = values;
      }
      return moved;
    });
  }
  #input(field, prefix) {
    const name = prefix + field.name, id = `at-${name}`, wrong = this.at[name];
    const value = (this.entry.typed[name] ?? [""])[0];
    const made = element("div", { className: wrong ? "field wrong" : "field" });
    if (field.kind === "choices") return this.#choices(field, name, wrong);
    const label = element("label", { htmlFor: id }, field.label);
    if (field.required) label.append(" ", element("span", { className: "needed" }, `(${this.words.needed})`));
    const input = this.#control(field, value);
    Object.assign(input, { id, name });
    if (field.required) input.setAttribute("aria-required", "true");
    if (wrong) {
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", `wrong-${name}`);
    }
    input.addEventListener("input", () => this.save(name, [input.value]));
    made.append(label, input);
    if (["lines", "references"].includes(field.kind)) made.append(element("p", { className: "about" }, this.words.one_a_line));
    if (field.about) made.append(element("p", { className: "about" }, field.about));
    if (wrong) made.append(element("p", { className: "mistake", id: `wrong-${name}` }, wrong));
    return made;
  }
  #control(field, value) {
    const select = (choices) => {
      const made = element("select", {});
      for (const [each, word] of [["", field.required ? "" : this.words.nothing], ...choices]) made.append(element("option", { value: each }, word));
      made.value = value;
      return made;
    };
    switch (field.kind) {
      case "choice": return select(field.choices);
      case "yes_no": return select([["true", this.words.yes], ["false", this.words.no]]);
      case "photo": return select(this.photos());
      case "long": case "lines": case "json": case "pairs": case "references": return element("textarea", { rows: 3, value });
      case "reference": {
        const made = element("input", { value, autocomplete: "off" });
        made.setAttribute("list", `of-${field.noun}`);
        return made;
      }
      case "date": return element("input", { type: "date", value });
      case "instant": return element("input", { type: "datetime-local", value });
      case "whole": return element("input", { inputMode: "numeric", value });
      case "number": return element("input", { inputMode: "decimal", value });
      default: return element("input", { value });
    }
  }
  #choices(field, name, wrong) {
    const made = element("fieldset", { className: wrong ? "field wrong" : "field", id: `at-${name}`, tabIndex: -1 }, element("legend", {}, field.label));
    for (const [each, word] of field.choices) {
      const box = element("input", { type: "checkbox", name, value: each, checked: (this.entry.typed[name] ?? []).includes(each) });
      box.addEventListener("input", () => this.save(name, [...made.querySelectorAll("input:checked")].map((one) => one.value)));
      made.append(element("label", { className: "check" }, box, ` ${word}`));
    }
    if (wrong) made.append(element("p", { className: "mistake", id: `wrong-${name}` }, wrong));
    return made;
  }
  #button(text, act) {
    const made = element("button", { type: "button" }, text);
    made.addEventListener("click", act);
    return made;
  }
  #lists() {
    return Object.entries(this.options).map(([noun, texts]) =>
      element("datalist", { id: `of-${noun}` }, ...texts.map((text) => element("option", { value: text }))));
  }
}

export function element(tag, properties, ...children) {
  const made = document.createElement(tag);
  made.append(...children);
  return Object.assign(made, properties);
}
