"use strict";
// What is said arrives as data and goes into text nodes; what the URL says is checked and becomes style.
(() => {
  const page = document.documentElement;
  const captions = document.getElementById("captions");
  const sign = document.getElementById("sign");

  // ---- The parameters of the URL: each has the values that it takes, and what they do.

  const HEX = /^(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i;
  const number = (text, least, most) => {
    const value = /^\d{1,5}(?:\.\d{1,3})?$/.test(text) ? Number(text) : NaN;
    return value >= least && value <= most ? value : null;
  };
  const length = (text, units, least, most) => {
    const parts = /^([\d.]+)(px|vh|vw|%)?$/.exec(text);
    const unit = parts && (parts[2] || units[0]);
    const value = parts && units.includes(unit) ? number(parts[1], least, unit === "px" ? most : 100) : null;
    return value === null ? null : value + unit;
  };
  const color = (text) => {
    if (HEX.test(text)) return "#" + text;
    return /^[a-z]{3,30}$/i.test(text) && CSS.supports("color", text) ? text : null;
  };
  const property = (name, check) => (text) => {
    const value = check(text);
    if (value !== null) page.style.setProperty("--" + name, value);
    return value !== null;
  };
  const choice = (names) => (text) => {
    if (!Object.hasOwn(names, text)) return false;
    page.classList.remove(...Object.values(names).flat());
    page.classList.add(...names[text]);
    return true;
  };
  let hideAfter = 0;  // seconds without a new word; 0: never
  const PARAMETERS = {
    font: property("font", (text) => (/^[\p{L}\p{M}\p{N} _-]{1,64}$/u.test(text) ? `"${text}", sans-serif` : null)),
    size: property("size", (text) => length(text, ["px", "vh", "vw"], 1, 500)),
    weight: property("weight", (text) => number(text, 100, 900)),
    color: property("color", color),
    box: property("box", color),
    outline: property("outline", color),
    background: property("background", color),
    lines: property("lines", (text) => (/^\d+$/.test(text) ? number(text, 1, 100) : null)),
    width: property("width", (text) => length(text, ["%", "px", "vw"], 1, 20000)),
    margin: property("margin", (text) => length(text, ["px", "vh", "vw"], 0, 2000)),
    align: choice({ start: [], left: ["left"], center: ["center"], right: ["right"] }),
    position: choice({ bottom: [], middle: ["middle"], top: ["top"] }),
    speakers: choice({ label: [], colour: ["coloured", "nameless"], both: ["coloured"], off: ["nameless"] }),
    interims: choice({ soft: [], plain: ["plain"], off: ["hard"] }),
    uppercase: choice({ 0: [], 1: ["uppercase"] }),
    sign: choice({ 0: ["unsigned"], 1: [] }),
    hide: (text) => {
      const value = number(text, 0, 86400);
      if (value !== null) hideAfter = value;
      return value !== null;
    },
  };
  for (const [name, text] of new URLSearchParams(location.search)) {
    const isKnown = Object.hasOwn(PARAMETERS, name);
    if (!isKnown || !PARAMETERS[name](text)) {
      console.warn(isKnown ? "Invalid value:" : "Unknown parameter:", JSON.stringify(name), JSON.stringify(text));
    }
  }

  // ---- The lines.

  const shown = new Map();  // number of a paragraph: its element
  let spent = new Set();  // numbers that went with a silence and do not come back
  let run = null, ended = false, spoken = performance.now();

  const span = (name, text) => {
    const element = document.createElement("span");
    element.className = name;
    element.textContent = text;
    return element;
  };

  const who = (name) => {
    const element = span("who", "");
    const isolated = document.createElement("bdi");  // a name says nothing about the direction of the text
    isolated.textContent = name;
    element.append(isolated, ": ");
    return element;
  };

  const fill = (element, line) => {
    const box = span("voice-" + (line.voice % 4), "");
    if (line.who) box.append(who(line.who));
    if (line.text) box.append(span("said", line.text));
    if (line.interim) box.append(span(line.turn ? "interim turn" : "interim", line.interim));
    element.replaceChildren(box);
    element.classList.toggle("open", !line.text);
  };

  const show = (order, lines) => {
    for (const line of lines) {
      let element = shown.get(line.number);
      if (!element) {
        element = document.createElement("p");
        element.dir = "auto";
        shown.set(line.number, element);
      }
      fill(element, line);
      spent.delete(line.number);
    }
    const wanted = new Set(order);
    for (const [number, element] of shown) {
      if (!wanted.has(number)) {
        element.remove();
        shown.delete(number);
      }
    }
    spent = new Set([...spent].filter((number) => wanted.has(number)));
    let before = null;
    for (const number of order) {
      const element = shown.get(number);
      if (!element) continue;
      if (spent.has(number)) {
        element.remove();
        continue;
      }
      if (element.parentNode !== captions || element.previousSibling !== before) {
        captions.insertBefore(element, before ? before.nextSibling : captions.firstChild);
      }
      before = element;
    }
  };

  const fall = (sudden = false) => {
    if (!hideAfter || performance.now() - spoken < hideAfter * 1000) return;
    if (!captions.classList.contains("silent")) {
      captions.classList.toggle("sudden", sudden);
      captions.classList.add("silent");
      spent = new Set(shown.keys());
    }
  };

  const take = (message) => {
    if (message.run !== undefined) {  // the first message of a connection: everything there is
      if (message.run !== run) {
        run = message.run;
        shown.clear();
        spent.clear();
        captions.replaceChildren();
      }
      if (message.language) page.lang = message.language;
      spoken = performance.now() - message.age * 1000;
    } else if (message.set.length) {
      spoken = performance.now();
    }
    ended = message.stage === "ended";
    show(message.order, message.set);
    if (message.set.length) captions.classList.remove("silent");
    fall(message.run !== undefined);  // what was silent before a reload is not shown again
    sign.hidden = message.stage !== "reconnecting";
  };

  // ---- The connection: whatever becomes of it, the lines stay, and it is sought again.

  const connect = () => {
    const events = new EventSource("events");
    events.onmessage = (event) => take(JSON.parse(event.data));
    events.onerror = () => {
      events.close();
      sign.hidden = ended || run === null;  // after the end nobody is missing
      setTimeout(connect, 1000);
    };
  };

  setInterval(() => fall(), 200);
  connect();
})();
