// dialogs.js opens the dialogs that htmx brings, says what became of what a person did, and takes it back when asked within ten seconds.

const toastFor = 10000;
let app;
let opener = null; // what had the focus before the dialog opened

// startDialogs listens.
export function startDialogs(context) {
  app = context;
  const box = document.getElementById("dialogs");
  if (!box) return;
  document.body.addEventListener("htmx:beforeRequest", (e) => {
    if (e.detail.target === box && !box.contains(e.detail.elt)) opener = e.detail.elt;
  });
  // After it has settled: before that its form would be sent as one without scripts.
  document.body.addEventListener("htmx:afterSettle", (e) => e.detail.target === box && show(box));
  document.body.addEventListener("vigia:done", (e) => done(box, e.detail));
  document.body.addEventListener("vigia:failed", (e) => toast(app.say("failed", e.detail.say)));
  document.body.addEventListener("htmx:sendError", () => toast(app.say("failed", "")));
  document.addEventListener("click", (e) => e.target.closest("[data-close]") && closeAll(e));
  document.addEventListener("keydown", submitByKey);
  addEventListener("vigia:change", (e) => conflict(e.detail));
}

function closeAll(e) {
  const dialog = e.target.closest("dialog");
  if (!dialog) return;
  e.preventDefault();
  dialog.close();
}

function show(box) {
  const dialog = box.querySelector("dialog");
  if (!dialog || dialog.open) return;
  dialog.addEventListener("close", () => shut(box), { once: true });
  dialog.showModal();
  dialog.querySelector("[autofocus]")?.focus();
}

function shut(box) {
  box.replaceChildren();
  const row = document.querySelector(".cursor");
  (opener?.isConnected ? opener : row)?.focus({ preventScroll: true });
  opener = null;
}

function submitByKey(e) {
  if (e.key !== "Enter" || !(e.ctrlKey || e.metaKey)) return;
  const form = e.target.closest?.("dialog form");
  if (!form) return;
  e.preventDefault();
  form.requestSubmit();
}

function done(box, { say, undo }) {
  box.querySelector("dialog")?.close();
  for (const input of document.querySelectorAll("[data-select]:checked")) {
    input.checked = false;
    input.closest("[data-row]")?.removeAttribute("aria-selected");
  }
  dispatchEvent(new CustomEvent("vigia:selected"));
  if (say) toast(say, undo);
  dispatchEvent(new CustomEvent("vigia:refresh"));
}

function toast(text, undo) {
  const place = document.getElementById("toasts");
  if (!place) return;
  const box = Object.assign(document.createElement("div"), { className: "toast" });
  box.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (undo) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn sm", textContent: app.say("undo") });
    button.addEventListener("click", () => takeBack(undo, box));
    box.append(button);
  }
  place.replaceChildren(box);
  setTimeout(() => box.remove(), toastFor);
}

async function takeBack(url, box) {
  box.remove();
  try {
    const response = await fetch(url, { method: "POST", headers: { "HX-Request": "true" } });
    if (!response.ok) throw new Error(String(response.status));
    dispatchEvent(new CustomEvent("vigia:refresh"));
  } catch (err) {
    toast(app.say("failed", err.message));
  }
}

// conflict: somebody else did something to the incident whose dialog is open. What is typed stays.
async function conflict({ incidents, many }) {
  const dialog = document.querySelector("dialog[open][data-dialog-incident]");
  if (!dialog || !(many || incidents.includes(Number(dialog.dataset.dialogIncident)))) return;
  try {
    const response = await fetch(dialog.dataset.dialogUrl, { headers: { "HX-Request": "true" }, cache: "no-store" });
    if (!response.ok) return;
    const answer = document.createElement("template");
    answer.innerHTML = await response.text(); // our own server's page, encoded there
    const fresh = answer.content.querySelector("[data-conflict]");
    const old = dialog.querySelector("[data-conflict]");
    if (fresh && old && fresh.innerHTML !== old.innerHTML) old.replaceWith(fresh);
  } catch {
    // the stream says whether we are stale
  }
}
