// The account page: what the links of mails open, sign-in, and the demo's sample users.
// The token of a link stands behind the #, which no server sees; it is taken out of the address bar at once.

const $ = (selector) => document.querySelector(selector);
const link = readLink();

const actions = {
  login: (form) => call("POST", "auth/login", form),
  register: async (form) => {
    await call("POST", "auth/register", form);
    return "Look into your mailbox: the link there makes your account.";
  },
  forgot: async ({ email }) => {
    await call("POST", "auth/password-reset", { email });
    return "If there is such an account, a link is in its mailbox.";
  },
  reset: async ({ password }) => {
    await call("POST", "auth/password-reset/confirm", { token: link.token, password });
    return "Done. Sign in with your new password.";
  },
  verify: async () => {
    await call("POST", "auth/verify-email", { token: link.token });
    return "Your account is ready. Sign in.";
  },
  accept: () => call("POST", "invitations/accept", { token: link.token }),
  join: ({ name, password }) => call("POST", "invitations/accept", { token: link.token, name, password }),
};

for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(form.querySelector("button"), async () => {
      const said = await actions[form.dataset.action](Object.fromEntries(new FormData(form)));
      form.reset();
      if (["reset", "verify", "accept", "join"].includes(form.dataset.action)) {
        link.kind = null;
      }
      await show();
      return typeof said === "string" ? said : "";
    });
  });
}

$("#sign-out").addEventListener("click", (event) =>
  attempt(event.target, async () => {
    await call("POST", "auth/logout", {});
    await show();
  }));

await show();

function readLink() {
  const [kind, token] = location.hash.slice(1).split("=", 2);
  history.replaceState(null, "", location.pathname);
  return { kind: ["verify", "reset", "invitation"].includes(kind) && token ? kind : null, token };
}

/** Calls the API; answers the parsed body, throws an Error with the problem's detail. */
async function call(method, path, body) {
  const response = await fetch(`/api/v1/${path}`, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) {
    const faults = (answer.errors ?? []).map((fault) => `${fault.path}: ${fault.message}`);
    throw Object.assign(new Error([answer.detail, ...faults].join(" ")), { status: response.status });
  }
  return answer;
}

/** Runs something for a button, and says what came of it. */
async function attempt(button, work) {
  button.disabled = true;
  try {
    say((await work()) ?? "");
  } catch (error) {
    say(error.message, true);
  } finally {
    button.disabled = false;
  }
}

function say(text, isFault = false) {
  $("#message").textContent = text;
  $("#message").classList.toggle("fault", isFault);
}

/** Shows what there is to do now. In the demo one acts as its owner without having signed in. */
async function show() {
  const me = await orNull(call("GET", "me"));
  const sessions = me ? (await call("GET", "me/sessions")).sessions : [];
  const signedIn = sessions.some((session) => session.current);
  const users = (await orNull(call("GET", "auth/demo")))?.users ?? [];
  for (const section of document.querySelectorAll("section")) {
    section.hidden = section.id !== link.kind;
  }
  if (!link.kind) {
    $("#me").hidden = !me;
    $("#demo").hidden = users.length === 0;
  }
  $("#sign-in").hidden = signedIn || ["verify", "reset"].includes(link.kind);
  $("#sign-out").hidden = $("#sessions").hidden = !signedIn;
  for (const place of document.querySelectorAll("[data-email]")) {
    place.textContent = signedIn ? me.email : "nobody yet";
  }
  if (me) {
    $("#name").textContent = me.name;
    $("#how").textContent = signedIn ? `Signed in as ${me.email}.` : "Nobody has signed in: in the demo you act as its owner.";
    await showWorkspaces();
    showSessions(sessions);
  }
  $("#users").replaceChildren(...users.map((user) =>
    item(user.name, `${user.role} · ${user.email}`, "Become", async () => {
      await call("POST", "auth/demo", { email: user.email });
      await show();
    })));
}

async function showWorkspaces() {
  const { workspaces } = await call("GET", "workspaces");
  $("#workspaces").replaceChildren(...workspaces.map((workspace) =>
    item(workspace.name, `${workspace.role} · ${workspace.id}`)));
}

function showSessions(sessions) {
  $("#sessions ul").replaceChildren(...sessions.map((session) =>
    item(
      session.client || "A program",
      [session.current ? "here" : session.address, `since ${new Date(session.createdAt).toLocaleString()}`].join(" · "),
      session.current ? null : "Sign out there",
      async () => {
        await call("DELETE", `me/sessions/${session.id}`);
        await show();
      })));
}

function item(title, detail, label, act) {
  const row = document.createElement("li");
  const text = document.createElement("span");
  const small = document.createElement("small");
  text.textContent = title;
  small.textContent = detail;
  text.append(small);
  row.append(text);
  if (label) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", () => attempt(button, act));
    row.append(button);
  }
  return row;
}

/** The answer, or null where one has to sign in first or there is nothing of the kind. */
async function orNull(promise) {
  try {
    return await promise;
  } catch (error) {
    if ([401, 403, 404].includes(error.status)) {
      return null;
    }
    throw error;
  }
}
