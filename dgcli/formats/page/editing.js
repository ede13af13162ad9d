// Correcting: words in place, who said them, what the speakers are called.

const editButton = byId("edit"), tools = byId("editing");
const undoButton = byId("undo"), redoButton = byId("redo");
const isEditing = () => !tools.hidden;

const editable = (turn) => Boolean(turn.data || turn.words?.length);

// The voices that a turn may be given: those of its channel, and a new one.
const choices = (turn) => {
  const own = voices().filter((voice) => voice.channel === turn.channel);
  const next = Math.max(-1, ...state.turns.map((other) => other.speaker ?? -1)) + 1;
  return [
    ...own.map((voice) => [voiceKey(voice), nameOf(voice) || "Nobody named", voice]),
    [`${turn.channel}/${next}`, `New: ${nameOf({ channel: turn.channel, speaker: next })}`, { channel: turn.channel, speaker: next }],
  ];
};

const arm = (turn) => {
  const text = turn.el.querySelector("p");
  const active = isEditing() && editable(turn);
  if (!active) {
    text.removeAttribute("contenteditable");
    text.removeAttribute("role");
    text.removeAttribute("aria-label");
    text.removeAttribute("aria-multiline");
    turn.el.querySelector("select.voice")?.remove();
    return;
  }
  text.setAttribute("contenteditable", "plaintext-only");
  if (text.contentEditable !== "plaintext-only") text.setAttribute("contenteditable", "true");
  text.setAttribute("role", "textbox");
  text.setAttribute("aria-multiline", "true");
  text.spellcheck = true;
  const place = Number.isFinite(turn.start) ? ` at ${clock(turn.start)}` : "";
  text.setAttribute("aria-label", `${nameOf(turn) || "Text"}${place}`);
  let select = turn.el.querySelector("select.voice");
  if (!select) {
    select = create("select", { className: "voice" });
    turn.el.querySelector(".by").prepend(select);
    // The list is made when it is needed: there may be thousands.
    const offer = () => {
      select.replaceChildren(...choices(turn).map(([value, textContent]) => create("option", { value, textContent })));
      select.value = voiceKey(turn);
    };
    offer();
    select.addEventListener("focus", offer);
    select.addEventListener("pointerdown", offer);
    select.addEventListener("change", () => assign(turn, select.value));
  } else if (select.selectedOptions[0]?.textContent !== nameOf(turn)) {
    select.replaceChildren(...choices(turn).map(([value, textContent]) => create("option", { value, textContent })));
    select.value = voiceKey(turn);
  }
  select.setAttribute("aria-label", `Speaker${place}`);
};
decorators.push(arm);

const armAll = () => { for (const turn of state.turns) if (turn.spans) arm(turn); };

const assign = (turn, key) => {
  const choice = choices(turn).find(([value]) => value === key);
  if (!choice || key === voiceKey(turn)) return;
  const [made] = [changed(turn, { speaker: choice[2].speaker })];
  replaceTurn(turn, [made]);
  made.el.querySelector("select.voice")?.focus();
  say(`Said by ${nameOf(made)}.`);
};

// Take what was typed into a turn; returns the turns that stand there now.
const settle = (turn, text, split = null) => {
  const words = retimed(wordsOf(turn), text) ?? wordsOf(turn);
  const parts = split === null ? [words] : [words.slice(0, split(words)), words.slice(split(words))];
  const made = parts.filter((part) => part.length).map((part) => changed(turn, { words: part }));
  // What was typed goes away with the element: it may come back by undoing.
  fill(turn);
  for (const decorate of decorators) decorate(turn);
  if (words === wordsOf(turn) && made.length < 2) return [turn];
  replaceTurn(turn, made);
  return made;
};

main.addEventListener("focusout", (event) => {
  const text = event.target;
  if (!isEditing() || text.tagName !== "P" || !text.isContentEditable) return;
  const turn = turnOf(text);
  if (turn && state.turns.includes(turn)) settle(turn, text.textContent);
});

// The number of characters before the caret in a paragraph.
const caret = (text) => {
  const range = getSelection().getRangeAt(0).cloneRange();
  range.setStart(text, 0);
  return range.toString();
};

main.addEventListener("keydown", (event) => {
  const text = event.target;
  if (!isEditing() || text.tagName !== "P" || !text.isContentEditable || event.isComposing) return;
  const turn = turnOf(text);
  if (event.key === "Escape") {
    text.textContent = joined(wordsOf(turn).map((word) => word.text).filter(Boolean));
    text.blur();
  } else if (event.key === "Enter") {
    event.preventDefault();
    if (!event.ctrlKey && !event.metaKey) { text.blur(); return; }
    const before = shown(caret(text));
    const made = settle(turn, text.textContent, (words) => {
      let index = 0;
      while (index < words.length && joined(words.slice(0, index + 1).map((word) => word.text)).length <= before.length) index += 1;
      return index;
    });
    if (made.length === 2) {
      made[1].el.querySelector("select.voice")?.focus();
      say("A paragraph of its own: choose who speaks.");
    }
  }
});

// Line breaks and formatted text have no place in a paragraph, in browsers that would take them.
main.addEventListener("paste", (event) => {
  if (!isEditing() || !event.target.closest?.("[contenteditable]")) return;
  event.preventDefault();
  document.execCommand("insertText", false, event.clipboardData.getData("text/plain").replace(/\s+/g, " "));
});

const edit = (wanted) => {
  if (!wanted) document.activeElement?.blur?.();
  tools.hidden = !wanted;
  root.classList.toggle("correcting", wanted);
  editButton.setAttribute("aria-pressed", String(wanted));
  armAll();
};
editButton.addEventListener("click", () => edit(!isEditing()));
keys.e = () => edit(!isEditing());

// Names of speakers: a field each.
const names = byId("names");
const listNames = () => {
  const keyed = new Map();
  for (const voice of voices()) if (nameKey(voice) !== null && !keyed.has(nameKey(voice))) keyed.set(nameKey(voice), voice);
  document.querySelector(".speakers").hidden = !keyed.size;
  const fields = Array.from(names.querySelectorAll("input"));
  if (fields.map((field) => field.dataset.v).join() !== Array.from(keyed.keys()).join()) {
    names.replaceChildren(...Array.from(keyed, ([key, voice]) => {
      const field = create("input", { placeholder: defaultName(voice), autocomplete: "off" });
      field.dataset.v = key;
      field.addEventListener("input", () => {
        commit({ names: { ...state.names, [key]: field.value.trim() } }, `name ${key}`);
      });
      field.addEventListener("blur", () => { grouped = null; });
      const dot = create("span", { className: `dot ${colourOf(voice)}` });
      return create("label", {}, dot, create("span", { className: "unseen", textContent: `Name of ${defaultName(voice)}` }), field);
    }));
  }
  for (const field of names.querySelectorAll("input")) {
    const name = state.names[field.dataset.v] || "";
    if (field.value.trim() !== name) field.value = name;
  }
};
listNames();

const refresh = () => {
  undoButton.disabled = !past.length;
  redoButton.disabled = !future.length;
};
onChange(() => {
  listNames();
  refresh();
  if (isEditing()) armAll();
});
const step = (move, word) => {
  if (document.activeElement?.isContentEditable) document.activeElement.blur();
  say(move() ? word : "Nothing to take back.");
};
undoButton.addEventListener("click", () => step(undo, "Undone."));
redoButton.addEventListener("click", () => step(redo, "Done again."));
byId("download").addEventListener("click", () => {
  if (document.activeElement?.isContentEditable) document.activeElement.blur();
  download();
});
document.addEventListener("keydown", (event) => {
  // Inside of a field, what is being typed there is taken back by the browser.
  if (!isEditing() || isTyping() || event.altKey || !(event.ctrlKey || event.metaKey)) return;
  const key = event.key.toLowerCase();
  if (key === "z" || key === "y") {
    event.preventDefault();
    if (key === "y" || event.shiftKey) step(redo, "Done again."); else step(undo, "Undone.");
  }
});

// What was corrected is lost with the page unless it was downloaded, or the browser keeps it.
addEventListener("beforeunload", (event) => {
  if (state.turns !== downloaded.turns && !isKept) event.preventDefault();
});
