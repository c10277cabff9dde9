// The documentation of the API: shows /api/openapi.json. Nothing here knows what the API can do.

const METHODS = ["get", "post", "put", "patch", "delete"];
const $ = (selector) => document.querySelector(selector);
const api = await (await fetch("/api/openapi.json")).json();
const found = Object.entries(api.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => item[method]).map((method) => ({ path, method: method.toUpperCase(), ...item[method] })));

show();

function show() {
  $("#version").textContent = api.info.version;
  $("#about").append(...text(api.info.description));
  for (const { name } of api.tags) {
    const ofTag = found.filter((operation) => operation.tags[0] === name);
    $("#contents").append(make("div", { className: "group" }, make("h2", {}, name), make("ul", {}, ...ofTag.map(entry))));
    $("#operations").append(make("div", { className: "group" }, make("h2", {}, name), ...ofTag.map(card)));
  }
  $("#search").addEventListener("input", search);
  $("#token").addEventListener("input", () => {
    for (const pre of document.querySelectorAll("pre.curl")) pre.textContent = curl(byId(pre.dataset.operation));
  });
  $("#credentials form").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.matches("input, select")) {
      event.preventDefault();
      $("#search").focus();
    }
  });
  addEventListener("hashchange", follow);
  follow();
}

function byId(id) {
  return found.find((operation) => operation.operationId === id);
}

function follow() {
  const article = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (const link of document.querySelectorAll("nav a[aria-current]")) link.removeAttribute("aria-current");
  if (!article) return;
  article.querySelector("details").open = true;
  article.scrollIntoView();
  document.querySelector(`nav a[href="#${CSS.escape(article.id)}"]`)?.setAttribute("aria-current", "true");
}

function search() {
  const words = $("#search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = new Set(found.filter((operation) => {
    const text = [operation.method, operation.path, operation.operationId, operation.summary, operation.description,
      operation.tags[0], ...operation.parameters.map((parameter) => resolve(parameter).name)].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  }).map((operation) => operation.operationId));
  for (const shown of document.querySelectorAll("[data-of]")) shown.hidden = !hits.has(shown.dataset.of);
  for (const group of document.querySelectorAll(".group")) group.hidden = !group.querySelector("[data-of]:not([hidden])");
  $("#nothing").hidden = hits.size > 0;
}

// One operation

function entry(operation) {
  return make("li", { data: { of: operation.operationId } },
    make("a", { href: `#${operation.operationId}`, title: operation.path }, method(operation), operation.summary.replace(/\.$/, "")));
}

function method(operation) {
  return make("span", { className: `method ${operation.method}` }, operation.method);
}

function card(operation) {
  const body = make("div", { className: "body" });
  const details = make("details", {}, make("summary", {},
    method(operation), make("h3", {}, make("code", {}, operation.path)),
    make("span", { className: "summary" }, operation.summary)), body);
  details.addEventListener("toggle", () => {
    if (details.open && !body.firstChild) body.append(...contents(operation).filter(Boolean));
  });
  return make("article", { id: operation.operationId, data: { of: operation.operationId } }, details);
}

function contents(operation) {
  const { operationId, description, requestBody } = operation;
  const parameters = operation.parameters.map(resolve);
  return [
    make("p", { className: "kind" }, make("a", { href: `#${operationId}` }, `#${operationId}`), ` · ${access(operation)}`),
    description && make("div", { className: "text" }, ...text(description)),
    make("h4", {}, "Request ", copyButton(() => curl(operation))),
    make("pre", { className: "curl", data: { operation: operationId } }, curl(operation)),
    parameters.length && make("h4", {}, "Parameters"),
    parameters.length && make("table", {}, make("tbody", {}, ...parameters.map(parameterRow))),
    ...(requestBody ? bodyParts(requestBody) : []),
    make("h4", {}, "Answers"),
    make("div", { className: "responses" }, ...Object.entries(operation.responses).map(answer)),
    operation.method === "GET" && !streams(operation) && tryIt(operation, parameters),
  ];
}

function access({ security = api.security }) {
  if (security.length === 0) return "open to anybody";
  return security.some((way) => Object.keys(way).length === 0) ? "with or without credentials" : "needs credentials";
}

function streams(operation) {
  return "text/event-stream" in (operation.responses["200"]?.content ?? {});
}

function parameterRow(parameter) {
  return make("tr", {},
    make("td", {}, make("code", {}, parameter.name), parameter.required ? make("span", { className: "required" }, " required") : ""),
    make("td", {}, make("span", { className: "kind" }, `${parameter.in}, ${kind(parameter.schema)}`),
      ...text(parameter.description ?? "")));
}

function bodyParts(body) {
  return Object.entries(body.content).flatMap(([type, media]) => [
    make("h4", {}, "Body ", make("code", {}, type)),
    schema(media.schema),
    media.example === undefined ? null : make("pre", {}, pretty(media.example)),
  ]);
}

function answer([status, response]) {
  const shown = resolve(response);
  const details = make("details", { open: status < 300 }, make("summary", {},
    make("span", { className: "status" }, status), " ", shown.description.split("\n")[0]));
  details.append(...text(shown.description.split("\n").slice(1).join("\n")));
  for (const [type, media] of Object.entries(shown.content ?? {})) {
    if (status < 300) details.append(make("p", { className: "kind" }, type), schema(media.schema));
    if (media.example !== undefined) details.append(make("pre", {}, pretty(media.example)));
  }
  return details;
}

// Schemas

function resolve(value) {
  return value?.$ref ? value.$ref.slice(2).split("/").reduce((inner, key) => inner[key], api) : value;
}

function alternatives(value) {
  return (value.anyOf ?? value.oneOf ?? [value]).map(resolve);
}

function kind(value) {
  return alternatives(resolve(value)).map((one) => {
    if ("const" in one) return JSON.stringify(one.const);
    if (one.enum) return one.enum.map((item) => JSON.stringify(item)).join(" | ");
    if (one.type === "array") return `array of ${kind(one.items ?? {})}`;
    if (one.type === undefined) return "any value";
    const bounds = [["minimum", "≥"], ["maximum", "≤"], ["minLength", "length ≥"], ["maxLength", "length ≤"]]
      .filter(([key]) => key in one).map(([key, sign]) => ` ${sign} ${one[key]}`);
    return [one.type, one.format ? ` (${one.format})` : "", ...bounds].join("");
  }).join(" or ");
}

function schema(value, seen = []) {
  const objects = alternatives(resolve(value)).map((one) => (one.type === "array" ? resolve(one.items ?? {}) : one))
    .flatMap(alternatives).filter((one) => (one.properties || one.additionalProperties?.type) && !seen.includes(one));
  if (!objects.length) return seen.length ? "" : make("p", { className: "kind" }, kind(value));
  return make("div", { className: "schema" }, ...objects.map((one, n) => make("div", {},
    n ? make("p", { className: "kind" }, "or") : "",
    make("ul", {}, ...Object.entries(one.properties ?? {}).map(([name, member]) =>
      property(name, member, one.required?.includes(name), [...seen, one])),
    one.additionalProperties?.type ? property("…", one.additionalProperties, false, [...seen, one]) : ""))));
}

function property(name, member, required, seen) {
  const line = [make("code", {}, name), " ", make("span", { className: "kind" }, kind(member)),
    required ? "" : make("span", { className: "note" }, " optional"),
    member.description ? make("span", { className: "note" }, ` · ${member.description}`) : ""];
  const inner = schema(member, seen);
  return make("li", {}, ...(inner ? [make("details", {}, make("summary", {}, ...line), inner)] : line));
}

// Requests

function curl(operation, values = {}) {
  const { path, query } = address(operation, values);
  const lines = [`curl ${operation.method === "GET" ? (streams(operation) ? "-N " : "") : `-X ${operation.method} `}'${location.origin}${path}${query}'`];
  if (operation.security?.length !== 0) lines.push(`-H 'Authorization: Bearer ${$("#token").value || "$TOKEN"}'`);
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  if (type) {
    lines.push(`-H 'Content-Type: ${type}'`);
    const body = typeof media.example === "string" ? media.example : JSON.stringify(media.example ?? {});
    lines.push(`--data-binary '${body.replaceAll("'", "'\\''")}'`);
  }
  return lines.join(" \\\n  ");
}

function address(operation, values) {
  const query = new URLSearchParams();
  let path = operation.path;
  for (const parameter of operation.parameters.map(resolve)) {
    const value = values[parameter.name] ?? parameter.example;
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(value ?? `{${parameter.name}}`));
    if (parameter.in !== "query" || value === undefined || value === "") continue;
    if (typeof value === "object") {
      for (const [key, inner] of Object.entries(value)) query.set(`${parameter.name}[${key}]`, inner);
    } else if (typeof value === "string" && value.includes("[")) {
      for (const [key, inner] of new URLSearchParams(value)) query.append(key, inner);
    } else {
      query.set(parameter.name, value);
    }
  }
  const written = query.toString().replaceAll("%5B", "[").replaceAll("%5D", "]").replaceAll("%2C", ",");
  return { path, query: written ? `?${written}` : "" };
}

function tryIt(operation, parameters) {
  const output = make("pre", { hidden: true, tabIndex: 0 });
  const form = make("form", {}, ...parameters.filter((parameter) => parameter.in !== "header").map((parameter) =>
    make("label", {}, parameter.name, make("input", {
      name: parameter.name,
      required: parameter.required ?? false,
      placeholder: parameter.schema.type === "object" ? `${parameter.name}[status]=todo` : "",
    }))), make("button", {}, "Try it"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { path, query } = address(operation, Object.fromEntries(new FormData(form)));
    const token = $("#token").value.trim();
    output.hidden = false;
    try {
      const response = await fetch(path + query, { headers: token ? { Authorization: `Bearer ${token}` } : {} });
      const body = await response.text();
      const json = response.headers.get("Content-Type")?.includes("json");
      output.textContent = `${response.status} ${response.statusText}\n\n${json && body ? pretty(JSON.parse(body)) : body}`;
    } catch (error) {
      output.textContent = String(error);
    }
  });
  return make("div", { className: "try" }, form, output);
}

function copyButton(words) {
  const button = make("button", { className: "quiet", type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(words());
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  return button;
}

// Elements and text

function make(name, { data, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  Object.assign(element.dataset, data);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

function pretty(value) {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

// Paragraphs, lists, `code` and **bold**: all of Markdown that the document uses.
function text(markdown) {
  return markdown.split(/\n\n+/).filter(Boolean).map((block) => (block.startsWith("- ")
    ? make("ul", {}, ...block.split(/\n(?=- )/).map((item) => make("li", {}, ...inline(item.slice(2)))))
    : make("p", {}, ...inline(block))));
}

function inline(line) {
  return line.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith("`")) return make("code", {}, part.slice(1, -1));
    return part.startsWith("**") ? make("strong", {}, part.slice(2, -2)) : part;
  });
}
