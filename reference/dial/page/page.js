// The page: dials as they are, live, and one's own to turn. Everything it shows comes as events from `dials/events`.

const element = (id) => document.getElementById(id);
const cards = new Map(); // dial id -> Card
let me = null; // { id, name } of the token's user
let token = sessionStorage.getItem("token");

// The arc of a dial: 270 degrees, open below.
const SWEEP = 270;
const clamp = (level) => Math.min(100, Math.max(0, level));

class Card {
  constructor(dial) {
    this.item = element("dial").content.firstElementChild.cloneNode(true);
    this.face = this.item.querySelector(".face");
    this.drawTicks();
    this.shown = dial.level;
    this.update(dial);
    this.face.addEventListener("keydown", (event) => this.onKey(event));
    this.face.addEventListener("pointerdown", (event) => this.onPointer(event));
    this.face.addEventListener("pointermove", (event) => this.onPointer(event));
    this.face.addEventListener("pointerup", () => this.send());
    this.face.addEventListener("pointercancel", () => this.show(this.dial.level));
  }

  drawTicks() {
    for (let level = 0; level <= 100; level += 10) {
      const tick = document.createElementNS("http://www.w3.org/2000/svg", "path");
      tick.setAttribute("d", level % 50 ? "M100 38V34" : "M100 38V31");
      tick.setAttribute("transform", `rotate(${(level * SWEEP) / 100 - SWEEP / 2} 100 100)`);
      this.item.querySelector(".ticks").append(tick);
    }
  }

  get mine() {
    return me !== null && me.id === this.dial.user_id;
  }

  // What the service says. A dial that is being turned shows what it is being turned to.
  update(dial) {
    this.dial = dial;
    this.item.querySelector("h2").textContent = dial.name;
    if (!this.turning) this.show(dial.level);
    this.updateRole();
    this.updateTime();
  }

  updateRole() {
    const { face, mine } = this;
    this.item.classList.toggle("mine", mine);
    face.setAttribute("role", mine ? "slider" : "meter");
    face.setAttribute("aria-label", this.dial.name);
    face.setAttribute("aria-valuemin", "0");
    face.setAttribute("aria-valuemax", "100");
    if (mine) face.setAttribute("aria-describedby", "help");
    else face.removeAttribute("aria-describedby");
    if (mine) face.tabIndex = 0;
    else face.removeAttribute("tabindex");
  }

  updateTime() {
    const facts = this.item.querySelector(".facts");
    const owner = this.mine ? "yours" : `user ${this.dial.user_id}`;
    facts.textContent = `${owner}, ${ago(Date.parse(this.dial.mod_time))}`;
    facts.title = this.dial.mod_time;
  }

  show(level) {
    this.shown = level;
    this.item.style.setProperty("--level", level);
    this.item.classList.toggle("empty", level === 0);
    this.item.querySelector(".number").textContent = Math.round(level);
    this.face.setAttribute("aria-valuenow", level);
    this.face.setAttribute("aria-valuetext", `${Math.round(level * 100) / 100} of 100`);
  }

  onKey(event) {
    const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
    const ends = { Home: 0, End: 100 };
    if (!this.mine || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key in steps) this.turn(clamp(Math.round(this.shown) + steps[event.key]));
    else if (event.key in ends) this.turn(ends[event.key]);
    else return;
    event.preventDefault();
    this.send();
  }

  onPointer(event) {
    if (!this.mine || event.buttons !== 1) return;
    if (event.type === "pointerdown") this.face.setPointerCapture(event.pointerId);
    // The axis of the needle, in the drawing's 200 by 176.
    const box = this.face.getBoundingClientRect();
    const x = event.clientX - (box.left + box.width / 2);
    const y = event.clientY - (box.top + (box.height * 100) / 176);
    let degrees = (Math.atan2(x, -y) * 180) / Math.PI;
    // In the gap below, the nearer end.
    degrees = Math.min(SWEEP / 2, Math.max(-SWEEP / 2, degrees));
    const level = Math.round(((degrees + SWEEP / 2) * 100) / SWEEP);
    // Across the gap the level would jump from one end to the other.
    if (event.type === "pointerdown" || Math.abs(level - this.shown) < 50) this.turn(level);
    event.preventDefault();
  }

  turn(level) {
    this.turning = true;
    this.show(level);
  }

  // Sends the level that is shown: one request at a time, the last level wins.
  async send() {
    if (!this.turning || this.sending) return;
    this.sending = true;
    try {
      let sent;
      do {
        sent = this.shown;
        this.dial = await call("PUT", `dials/${this.dial.id}/level`, { level: sent });
      } while (sent !== this.shown);
      notice(null);
    } catch (error) {
      notice(`"${this.dial.name}" was not set. ${error.message}`);
    } finally {
      this.sending = this.turning = false;
      this.update(this.dial);
    }
  }
}

function ago(time) {
  const seconds = Math.max(0, (Date.now() - time) / 1000);
  const format = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const [unit, length] of [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (seconds >= length) return format.format(-Math.floor(seconds / length), unit);
  }
  return "just now";
}

async function call(method, path, body) {
  const headers = { Authorization: `Bearer ${token}` };
  if (body) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Error("The service cannot be reached; try again.");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail ?? `The service answered ${response.status}.`);
  return answer;
}

function notice(text) {
  element("notice").hidden = text === null;
  element("notice").textContent = text ?? "";
}

function place(dial) {
  const card = cards.get(dial.id);
  if (card) {
    card.update(dial);
    return;
  }
  const added = new Card(dial);
  // In the order of ids, in which nearly all arrive.
  const after = [...cards.keys()].filter((id) => id < dial.id).reduce((last, id) => Math.max(last, id), 0);
  if (after) cards.get(after).item.after(added.item);
  else element("dials").prepend(added.item);
  cards.set(dial.id, added);
  element("empty").hidden = true;
}

async function signIn() {
  me = null;
  if (token !== null) {
    try {
      me = await call("GET", "me");
      sessionStorage.setItem("token", token);
      notice(null);
    } catch (error) {
      token = null;
      sessionStorage.removeItem("token");
      notice(error.message);
    }
  }
  element("sign-in").hidden = me !== null;
  element("sign-out").hidden = me === null;
  element("create").hidden = me === null;
  element("me").textContent = me?.name ?? "";
  for (const card of cards.values()) card.update(card.dial);
}

function listen() {
  const connection = element("connection");
  const events = new EventSource("dials/events");
  events.addEventListener("open", () => {
    connection.textContent = "live";
    connection.className = "live";
    setTimeout(() => (element("empty").hidden = cards.size > 0), 300);
  });
  events.addEventListener("dial", (event) => place(JSON.parse(event.data)));
  events.addEventListener("error", () => {
    connection.textContent = "not connected, trying again";
    connection.className = "lost";
    // The browser comes again by itself, but not after an answer that is no stream.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  });
}

element("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  token = element("token").value.trim();
  event.target.reset();
  signIn();
});

element("sign-out").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.removeItem("token");
  token = null;
  signIn();
});

element("create").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    place(await call("POST", "dials", { name: element("name").value }));
    event.target.reset();
    notice(null);
  } catch (error) {
    notice(`The dial was not created. ${error.message}`);
  }
});

setInterval(() => cards.forEach((card) => card.updateTime()), 30000);
signIn();
listen();
