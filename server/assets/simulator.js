// The simulator's live side: bubbles, ticks and the typing sign arrive as server-sent events, ready-made as HTML.
// Without this file the page still works: the form posts, and the page reloads itself.
(() => {
  "use strict";

  const thread = document.getElementById("thread");
  const form = document.getElementById("compose");
  const field = document.getElementById("text");
  const presence = document.getElementById("presence");
  const panel = document.getElementById("evidence");
  const card = document.getElementById("evidence-card");
  const isNarrow = window.matchMedia("(max-width: 760px)");
  const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

  const bubbleOf = (wamid) => thread.querySelector(`.bubble[data-wamid="${CSS.escape(wamid)}"]`);

  function toLocalClock(root) {
    for (const time of root.querySelectorAll("time[data-clock]")) time.textContent = clock.format(new Date(time.dateTime));
  }

  function joinRuns() {
    let before = null;
    for (const bubble of thread.querySelectorAll(".bubble[data-wamid]")) {
      bubble.classList.toggle("next", before !== null && before.dataset.mine === bubble.dataset.mine);
      before = bubble;
    }
  }

  function toEnd(smooth) {
    thread.scrollTo({ top: thread.scrollHeight, behavior: smooth ? "smooth" : "instant" });
  }

  /* ---- typing ---- */

  let typingTimer = 0;
  function typing(on) {
    window.clearTimeout(typingTimer);
    const dots = document.getElementById("dots");
    presence.classList.toggle("typing", on);
    presence.textContent = on ? "typing…" : presence.dataset.quiet;
    if (!on) {
      if (dots) dots.remove();
      return;
    }
    if (!dots) {
      const bubble = document.createElement("div");
      bubble.id = "dots";
      bubble.className = "bubble typing-dots";
      bubble.setAttribute("aria-hidden", "true");
      bubble.append(document.createElement("i"), document.createElement("i"), document.createElement("i"));
      thread.append(bubble);
      toEnd(true);
    }
    typingTimer = window.setTimeout(() => typing(false), 25000);
  }

  /* ---- evidence ---- */

  let wanted = 0;
  async function showEvidence(href, bubble, open) {
    const mine = ++wanted;
    for (const other of thread.querySelectorAll(".bubble.selected")) other.classList.remove("selected");
    if (bubble) bubble.classList.add("selected");
    const answer = await fetch(href, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (mine !== wanted) return;
    if (!answer || answer.redirected || !answer.ok) {
      if (open) window.location.assign(href);
      return;
    }
    card.innerHTML = await answer.text();
    panel.scrollTop = 0;
    if (open) panel.classList.add("open");
  }

  thread.addEventListener("click", (event) => {
    const link = event.target.closest("a.why-link");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    showEvidence(link.href, link.closest(".bubble"), true);
  });
  panel.querySelector(".ev-close").addEventListener("click", () => panel.classList.remove("open"));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") panel.classList.remove("open");
  });
  thread.addEventListener("pointerdown", () => {
    if (isNarrow.matches) panel.classList.remove("open");
  });

  /* ---- messages ---- */

  function addBubble(html) {
    const holder = document.createElement("template");
    holder.innerHTML = html.trim();
    const bubble = holder.content.firstElementChild;
    if (!bubble || bubbleOf(bubble.dataset.wamid)) return;
    const isMine = bubble.dataset.mine === "true";
    if (!isMine) typing(false);
    toLocalClock(bubble);
    thread.append(bubble);
    const dots = document.getElementById("dots");
    if (dots) thread.append(dots);
    joinRuns();
    toEnd(true);
    const link = bubble.querySelector("a.why-link");
    if (link && !isNarrow.matches) showEvidence(link.href, bubble, false);
  }

  const order = { sent: 1, delivered: 2, read: 3, failed: 4 };
  function tick(wamid, state) {
    const bubble = bubbleOf(wamid);
    const stamp = bubble && bubble.querySelector(".stamp");
    if (!stamp || !(state in order)) return;
    const current = [...stamp.classList].find((name) => name.startsWith("tick-"));
    if (current && order[current.slice(5)] >= order[state]) return;
    if (current) stamp.classList.remove(current);
    stamp.classList.add(`tick-${state}`);
    const word = stamp.querySelector(".tick-word");
    if (word) word.textContent = state;
  }

  async function post(text) {
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { "HX-Request": "true" },
      body: new URLSearchParams({ text }),
    }).catch(() => null);
    if (!answer || !answer.ok) {
      field.value = field.value || text;
      field.setCustomValidity("The message did not leave. Is the server still running?");
      field.reportValidity();
    }
  }

  function submit(text) {
    const said = text.trim();
    if (!said) return;
    const starters = document.getElementById("starters");
    if (starters) starters.remove();
    post(said);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const starter = event.submitter && event.submitter.name === "starter" ? event.submitter.value : "";
    submit(starter || field.value);
    if (!starter) field.value = "";
    field.focus({ preventScroll: true });
  });
  field.addEventListener("input", () => field.setCustomValidity(""));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });

  /* ---- stream ---- */

  const stream = new EventSource("/simulator/events");
  stream.addEventListener("bubble", (event) => addBubble(event.data));
  stream.addEventListener("typing", () => typing(true));
  stream.addEventListener("tick", (event) => {
    const { wamid, state } = JSON.parse(event.data);
    tick(wamid, state);
  });
  // Something was missed while the connection was down: the page itself is the whole truth.
  stream.addEventListener("reload", () => window.location.reload());

  toLocalClock(thread);
  joinRuns();
  toEnd(false);
  if (!isNarrow.matches) field.focus({ preventScroll: true });
})();
