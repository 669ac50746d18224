"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const RANK = { critical: 4, high: 3, medium: 2, low: 1, info: 0 };
  const SEVERITIES = Object.keys(RANK);
  const CONCERNS = ["broken", "would_break", "costs", "style"];
  const MOST_CENTS = 10 ** 12 - 1;
  const CHUNK = 100;
  const findings = data.findings.map((one) => ({
    ...one,
    title: data.titles[one.rule] || one.rule,
    why: data.texts[one.why],
    fix: { text: data.texts[one.fix.text], commands: one.fix.commands, snippets: one.fix.snippets },
    references: one.references.map((index) => data.texts[index]),
  }));
  let more = data.more;
  let loading = null;

  // ---- elements

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      if (typeof value === "function") made.addEventListener(key, value);
      else made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  function shape(name, attributes) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  const languages = { cloudformation: "In CloudFormation", terraform: "In Terraform" };
  const badge = (severity) => element("span", { class: `badge ${severity}` }, severity);
  const number = (value) => value.toLocaleString("en");
  const say = (sentence) => { document.getElementById("status").textContent = sentence; };
  const when = (stamp) => `${stamp.slice(0, 10)} ${stamp.slice(11, 16)} UTC`;
  const plural = (count, word) => `${number(count)} ${word}${count === 1 ? "" : "s"}`;

  // ---- what is asked for, as the address says

  const FILTERS = ["q", "severity", "topic", "rule", "account", "region", "owner", "status", "group", "order", "finding"];
  const DEFAULTS = { status: "open", group: "resource", order: "first" };

  function asked() {
    const given = new URLSearchParams(location.hash.slice(1));
    return Object.fromEntries(FILTERS.map((name) => [name, given.get(name) ?? DEFAULTS[name] ?? ""]));
  }

  function ask(changes) {
    const state = { ...asked(), ...changes };
    const kept = FILTERS.filter((name) => state[name] && state[name] !== DEFAULTS[name]);
    const hash = new URLSearchParams(kept.map((name) => [name, state[name]])).toString();
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
    draw();
  }

  // ---- choosing

  // The endpoints that a finding concerns: its own, or those that its model or config serves.
  function endpointsOf(one) {
    const { kind, name } = one.resource;
    const parts = name.split("/");
    const scaling = { "scalable-target": 2, "scaling-policy": 3 }[kind];
    if (kind === "endpoint" || kind === "endpoint-variant" || (scaling && parts.length === scaling)) return [parts[0]];
    return Array.isArray(one.evidence.endpoints) ? one.evidence.endpoints : [];
  }

  function rootOf(one) {
    const { kind, name } = one.resource;
    const endpoints = endpointsOf(one);
    const scaled = kind === "scalable-target" || kind === "scaling-policy";
    const root = endpoints.length === 1 ? ["endpoint", endpoints[0]]
      : scaled ? ["inference-component", name.split("/")[0]] : [kind, name];
    return { kind: root[0], name: root[1], key: [one.account, one.region, ...root].join("\n") };
  }

  function haystack(one) {
    one.text ??= [one.id, one.rule, one.title, one.topic, one.summary, one.resource.name, one.resource.arn, one.account,
      one.region, one.owner || "", ...endpointsOf(one), ...one.fix.commands, ...Object.values(one.fix.snippets),
      JSON.stringify(one.evidence)].join("\n").toLowerCase();
    return one.text;
  }

  function chosen(state) {
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    const exact = state.severity.startsWith("only-") ? state.severity.slice(5) : "";
    const least = RANK[state.severity] ?? 0;
    return findings.filter((one) =>
      (exact ? one.severity === exact : RANK[one.severity] >= least)
      && (state.status === "all" || one.status === state.status)
      && (!state.topic || one.topic === state.topic)
      && (!state.rule || one.rule === state.rule)
      && (!state.account || one.account === state.account)
      && (!state.region || one.region === state.region)
      && (!state.owner || (one.owner || "nobody") === state.owner)
      && words.every((word) => haystack(one).includes(word)));
  }

  // The order of every report: by concern, then the more severe, then the larger saving, then by name.
  const usd = (one) => one.saving?.monthly_usd ?? 0;
  const less = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  function place(one) {
    const cents = Math.max(0, Math.min(Math.round(usd(one) * 100), MOST_CENTS));
    return [`${CONCERNS.indexOf(one.concern ?? "would_break")}${9 - RANK[one.severity]}`, String(MOST_CENTS - cents).padStart(12, "0"),
      one.resource.name, one.rule, one.region, one.id].join("#");
  }
  const ORDERS = {
    first: ["do first", () => 0],
    severity: ["severity", (a, b) => RANK[b.severity] - RANK[a.severity]],
    age: ["age", (a, b) => less(a.first_seen, b.first_seen)],
    owner: ["owner", (a, b) => less(a.owner || "\uffff", b.owner || "\uffff")],
    saving: ["saving", (a, b) => usd(b) - usd(a)],
    name: ["name", (a, b) => less(a.resource.name, b.resource.name)],
  };

  function sorted(several, order) {
    const by = (ORDERS[order] ?? ORDERS.first)[1];
    for (const one of several) one.place ??= place(one);
    return several.sort((a, b) => by(a, b) || less(a.place, b.place));
  }

  // Groups stand by their first finding.
  function grouped(several, by) {
    const groups = new Map();
    for (const one of several) {
      const root = by === "rule" ? { key: one.rule, name: one.title, kind: one.rule } : rootOf(one);
      if (!groups.has(root.key)) groups.set(root.key, { ...root, several: [], rank: 0 });
      const group = groups.get(root.key);
      group.several.push(one);
      group.rank = Math.max(group.rank, RANK[one.severity]);
    }
    return [...groups.values()];
  }

  // ---- one finding

  function said(value) {
    if (value === null) return "none";
    if (Array.isArray(value)) return value.length ? value.map(said).join(", ") : "none";
    if (typeof value === "object") return JSON.stringify(value);
    return String(value);
  }

  async function copy(text, button, label = "Copy") {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = element("textarea", { class: "offstage", "aria-hidden": "true", tabindex: "-1" });
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    button.textContent = "Copied";
    say("It was copied.");
    setTimeout(() => { button.textContent = label; }, 2000);
  }

  // A piece of a policy that exempts this one finding. JSON is YAML, so that no name can break it.
  function exemptionOf(one) {
    return ["exemptions:", `  - rule: ${JSON.stringify(one.rule)}`, `    resource: ${JSON.stringify(one.resource.arn || one.resource.name)}`,
      "    reason: WHY", `    owner: ${JSON.stringify(one.owner || "WHO")}`, "    expires: YYYY-MM-DD"].join("\n");
  }

  function link(address, text) {
    return /^https?:\/\//.test(address) ? element("a", { href: address, rel: "noopener noreferrer", target: "_blank" }, text) : text;
  }

  function body(one) {
    const made = element("div", { class: "body" }, element("p", {}, one.summary));
    const add = (title, ...children) => made.append(element("h4", {}, title), ...children);
    add("Why", element("p", {}, one.why));
    const copied = (code) => {
      const button = element("button", { type: "button", click: () => copy(code, button) }, "Copy");
      return element("div", { class: "command" }, element("pre", {}, code), button);
    };
    const { text, commands, snippets } = one.fix;
    add("Fix", element("p", {}, text), ...(commands.length ? [copied(commands.join("\n"))] : []));
    if (one.status === "open") {
      const label = "Copy an exemption for the policy";
      const button = element("button", { type: "button", class: "quiet", click: () => copy(exemptionOf(one), button, label) }, label);
      made.append(element("p", {}, button));
    }
    for (const [language, snippet] of Object.entries(snippets)) add(languages[language], copied(snippet));
    if (one.saving) add("Saving", element("p", {}, `$${number(Math.round(one.saving.monthly_usd))} a month: ${one.saving.basis}`));
    if (one.cost_usd) add("Cost of the fix", element("p", {}, `$${number(Math.round(one.cost_usd))} a month: ${one.evidence.money?.basis ?? ""}`));
    const facts = Object.entries(one.evidence);
    if (facts.length) {
      add("Evidence", element("dl", { class: "evidence" }, ...facts.flatMap(([name, value]) =>
        [element("dt", {}, name.replaceAll("_", " ")), element("dd", {}, said(value))])));
    }
    if (one.exemption) {
      const { reason, owner, expires, source } = one.exemption;
      add("Exemption", element("p", {}, `${reason}${owner ? `, ${owner}` : ""}${expires ? `, until ${expires}` : ""} (by ${source})`));
    }
    add("History", element("p", {}, [
      `First seen ${when(one.first_seen)}`,
      `last seen ${when(one.last_seen)}`,
      one.resolved_at ? `resolved ${when(one.resolved_at)}` : null,
      `confidence ${one.confidence}`,
    ].filter(Boolean).join(", ") + "."));
    const links = one.references.map((address) => element("li", {}, link(address, address)));
    const console = one.resource.console_url;
    if (console) links.unshift(element("li", {}, link(console, `${one.resource.name} in the AWS console`)));
    if (one.well_architected.length) links.push(element("li", {}, `Well-Architected ${one.well_architected.join(", ")}`));
    if (links.length) add("References", element("ul", { class: "links" }, ...links));
    add("Identity", element("p", {}, element("code", {}, one.rule), " on ", element("code", {}, one.resource.arn), " in ",
      `${one.account}, ${one.region}`, one.owner ? `, owner ${one.owner}` : "", ". ",
      element("a", { href: `#finding=${one.id}` }, "Link to this finding")));
    return made;
  }

  const money = (value) => `$${number(Math.round(value))}`;
  const finished = Date.parse(document.querySelector("header time").getAttribute("datetime"));

  // What stands in the same columns of every row: owner, saving, age, and what else there is to say.
  function cellsOf(several, tail) {
    const owners = [...new Set(several.map((one) => one.owner).filter(Boolean))];
    const saving = Math.max(...several.map(usd));
    const days = Math.floor((finished - Math.min(...several.map((one) => Date.parse(one.first_seen)))) / 864e5);
    return [
      element("span", { class: "cell owner" }, owners.length ? owners.slice(0, 2).join(", ") + (owners.length > 2 ? " …" : "") : "–"),
      element("span", { class: "cell saving" }, saving >= 0.5 ? `${money(saving)}/mo` : ""),
      element("span", { class: "cell age" }, days > 0 ? plural(days, "day") : "new"),
      element("span", { class: "cell tail" }, tail),
    ];
  }

  function entry(one, by) {
    const made = element("details", { class: `finding ${one.status}`, id: one.id },
      element("summary", {}, badge(one.severity),
        element("span", { class: "what" }, by === "rule" ? one.summary : one.title),
        ...cellsOf([one], [one.resource.name, one.status === "open" ? "" : one.status].filter(Boolean).join(", "))));
    made.fill = () => { if (!made.querySelector(".body")) made.append(body(one)); };
    made.firstChild.addEventListener("click", made.fill);
    made.addEventListener("toggle", () => { if (made.open) made.fill(); });
    return made;
  }

  // ---- groups, drawn as far as they are looked at

  function inChunks(into, several, draw, label) {
    let shown = 0;
    const button = element("button", { type: "button", click: () => step(CHUNK) }, "");
    const holder = element("p", {}, button);
    into.append(holder);
    function step(count) {
      const next = several.slice(shown, shown + count).map(draw);
      holder.before(...next);
      const focused = document.activeElement === button;
      shown += next.length;
      const left = several.length - shown;
      button.textContent = `Show ${number(Math.min(CHUNK, left))} more${left > CHUNK ? ` of ${plural(left, label)}` : ""}`;
      holder.hidden = !left;
      if (focused && next.length) (next[0].querySelector("summary") ?? next[0]).focus();
    }
    step(CHUNK);
    return () => step(several.length);
  }

  function titlesOf(group) {
    const titles = [...new Set(group.several.map((one) => one.title))];
    return titles.slice(0, 2).join("; ") + (titles.length > 2 ? `; ${titles.length - 2} more` : "");
  }

  function groupOf(group, by) {
    const where = [...new Set(group.several.map((one) => `${one.account}, ${one.region}`))];
    const made = element("details", { class: by === "rule" ? "group by-rule" : "group" },
      element("summary", {}, badge(SEVERITIES[4 - group.rank]), element("h3", {}, group.name, by === "rule" ? "" : element("small", {}, ` ${group.kind}`)),
        by === "rule" ? null : element("span", { class: "what" }, titlesOf(group)),
        ...cellsOf(group.several, [by === "rule" ? group.kind : "", many && where.length === 1 ? where[0] : "", plural(group.several.length, "finding")]
          .filter(Boolean).join(" · "))));
    made.fill = () => {
      if (made.querySelector(".finding")) return;
      const into = element("div");
      made.append(into);
      made.all = inChunks(into, group.several, (one) => entry(one, by), "finding");
    };
    made.firstChild.addEventListener("click", made.fill);
    made.addEventListener("toggle", () => { if (made.open) made.fill(); });
    return made;
  }

  // ---- the list and its filters

  const many = new Set(findings.map((one) => `${one.account} ${one.region}`)).size > 1 || Boolean(more);
  const list = element("div", { id: "groups" });
  const count = element("span", { "aria-live": "polite" });
  const rest = element("button", { type: "button", hidden: true, click: () => loadRest() }, "Load the rest");
  const form = element("form", { class: "filters", role: "search", "aria-label": "Filter the findings", submit: (event) => event.preventDefault() });
  const fields = {};
  let showAll = () => {};
  let shown = [];

  // ---- what is shown, as a file

  const FORMULA = /^[=+\-@\t＝＋－＠]/;
  const COLUMNS = {
    severity: (one) => one.severity, concern: (one) => one.concern, rule: (one) => one.rule, title: (one) => one.title,
    kind: (one) => one.resource.kind, resource: (one) => one.resource.name, arn: (one) => one.resource.arn, account: (one) => one.account,
    region: (one) => one.region, owner: (one) => one.owner ?? "", status: (one) => one.status, summary: (one) => one.summary,
    fix: (one) => one.fix.text, commands: (one) => one.fix.commands.join("\n"), evidence: (one) => JSON.stringify(one.evidence),
    saving_monthly_usd: (one) => one.saving?.monthly_usd ?? "", cost_monthly_usd: (one) => one.cost_usd ?? "",
    first_seen: (one) => one.first_seen, id: (one) => one.id,
  };

  function cell(value) {
    const text = String(value);
    return `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  }

  const WRITERS = {
    CSV: ["text/csv", () => [Object.keys(COLUMNS), ...shown.map((one) => Object.values(COLUMNS).map((column) => column(one)))]
      .map((line) => line.map(cell).join(",")).join("\r\n")],
    JSON: ["application/json", () => JSON.stringify(shown.map(({ text, place, ...one }) => one), null, 2)],
  };

  const exports = Object.entries(WRITERS).map(([name, [type, write]]) => element("button", { type: "button", class: "quiet", click: () => {
    const address = URL.createObjectURL(new Blob([write()], { type }));
    element("a", { href: address, download: `findings.${name.toLowerCase()}` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
    say(`${plural(shown.length, "finding")} saved as ${name}.`);
  } }, `Save as ${name}`));

  function field(name, label, control) {
    control.id = `filter-${name}`;
    control.name = name;
    control.addEventListener(control.type === "search" ? "input" : "change", () => {
      ask({ [name]: control.value, finding: "" });
      if (more) loadRest();
    });
    fields[name] = control;
    form.append(element("div", { class: name === "q" ? "search" : "" }, element("label", { for: control.id }, label), control));
  }

  function options(control, choices) {
    const before = control.value;
    control.replaceChildren(...choices.map(([value, text]) => element("option", { value }, text)));
    control.value = choices.some(([value]) => value === before) ? before : choices[0][0];
  }

  const values = (pick) => [...new Set(findings.map(pick))].sort();
  const named = (several, everything) => [["", everything], ...several.map((one) => [one, one.replaceAll("-", " ")])];
  const plain = (several, everything) => [["", everything], ...several.map((one) => [one, one])];

  function choices() {
    options(fields.severity, [["", "all severities"], ...SEVERITIES.map((one) => [`only-${one}`, `${one} only`]),
      ...SEVERITIES.slice(1, 4).map((one) => [one, `${one}, or worse`])]);
    options(fields.topic, named(values((one) => one.topic), "all topics"));
    options(fields.rule, [["", "all rules"], ...values((one) => one.rule).map((one) => [one, one])]);
    for (const [name, everything] of [["account", "all accounts"], ["region", "all regions"]]) {
      const several = values((one) => one[name]);
      options(fields[name], plain(several, everything));
      fields[name].parentElement.hidden = several.length < 2;
    }
    options(fields.owner, plain(values((one) => one.owner || "nobody"), "all owners"));
    const statuses = values((one) => one.status);
    options(fields.status, [...new Set(["open", ...statuses])].map((one) => [one, one]).concat([["all", "all"]]));
    fields.status.parentElement.hidden = statuses.every((one) => one === "open");
    options(fields.group, [["resource", "by resource"], ["rule", "by rule"]]);
    options(fields.order, Object.entries(ORDERS).map(([name, [words]]) => [name, words]));
  }

  function draw() {
    const state = asked();
    for (const [name, control] of Object.entries(fields)) {
      if (control === document.activeElement && control.type === "search") continue;
      if (control.tagName === "SELECT" && ![...control.options].some((one) => one.value === state[name])) {
        control.append(element("option", { value: state[name] }, state[name]));
      }
      control.value = state[name];
    }
    const found = sorted(chosen(state), state.order);
    shown = found;
    const groups = grouped(found, state.group);
    list.replaceChildren();
    const all = inChunks(list, groups, (group) => groupOf(group, state.group), state.group === "rule" ? "rule" : "resource");
    showAll = () => {
      all();
      for (const group of list.querySelectorAll(".group")) {
        group.open = true;
        group.fill();
        group.all();
      }
    };
    const word = state.group === "rule" ? "rule" : "resource";
    count.textContent = found.length
      ? `${plural(found.length, "finding")} on ${plural(groups.length, word)}${found.length < findings.length ? ` of ${number(findings.length)}` : ""}`
      : "No finding matches.";
    if (!found.length && findings.length === 0) count.textContent = "No findings.";
    rest.hidden = !more;
    for (const button of exports) button.hidden = !found.length;
    if (state.finding) show(state.finding, groups, state.group);
  }

  function show(id, groups, by) {
    const index = groups.findIndex((group) => group.several.some((one) => one.id === id));
    if (index < 0) return;
    let made = list.querySelectorAll(".group")[index];
    if (!made) {
      made = groupOf(groups[index], by);
      list.prepend(made);
    }
    made.open = true;
    made.fill();
    made.all();
    const opened = document.getElementById(id);
    opened.open = true;
    opened.fill();
    opened.scrollIntoView({ block: "center" });
    opened.querySelector("summary").focus({ preventScroll: true });
  }

  // ---- the findings that are not in the page

  function loadRest() {
    loading ??= load().finally(() => { loading = null; });
    return loading;
  }

  async function load() {
    try {
      while (more) {
        const address = `${location.pathname}?${more.query}&cursor=${encodeURIComponent(more.cursor)}`;
        const answer = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" });
        if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
        const page = await answer.json();
        for (const one of page.findings) findings.push(one);
        more = page.cursor ? { ...more, cursor: page.cursor } : null;
        count.textContent = `${plural(findings.length, "finding")} loaded …`;
      }
      rest.textContent = "Load the rest";
    } catch (error) {
      rest.textContent = "Load the rest (try again)";
      say(`The rest could not be loaded: ${error.message}.`);
    }
    choices();
    draw();
  }

  // ---- where endpoints stand

  function scale(variant, widest) {
    const { minimum, maximum, desired, current } = variant;
    const now = desired ?? current;
    const svg = shape("svg", { viewBox: "0 0 96 14", class: "scale", "aria-hidden": "true" });
    const at = (value) => 4 + (88 * Math.min(value, widest)) / widest;
    svg.append(shape("rect", { x: 0, y: 6, width: 96, height: 2, rx: 1, class: "rail" }));
    if (minimum !== null && maximum !== null) {
      svg.append(shape("rect", { x: at(minimum) - 3, y: 3, width: at(maximum) - at(minimum) + 6, height: 8, rx: 4, class: "span" }));
    }
    if (now !== null) svg.append(shape("rect", { x: at(now) - 1.5, y: 0, width: 3, height: 14, rx: 1, class: "now" }));
    return svg;
  }

  const questions = { lost_instance_replaced: "a lost instance", update_goes_through: "an update", maximum_reached: "its maximum" };

  function comesBack(endpoint) {
    const answers = Object.entries(endpoint.comes_back ?? {});
    if (!answers.length) return ["–"];
    const open = answers.filter(([, one]) => one.answer !== "yes");
    if (!open.length) return ["● yes"];
    return open.map(([name, one]) => element("details", {},
      element("summary", { class: one.answer === "no" ? "few" : null }, `${one.answer === "no" ? "✕ not" : "? unknown:"} ${questions[name]}`),
      one.reason));
  }

  function survives({ down, instance, zone }) {
    if (down) return ["✕ down", "lost"];
    if (instance === "no") return ["✕ not an instance", "lost"];
    if (zone === "no") return ["✕ not a zone", "lost"];
    return instance === "unknown" || zone === "unknown" ? ["? unknown", null] : ["● instance and zone", "kept"];
  }
  const rank = ({ survives: { down, instance, zone } }) =>
    down ? 0 : instance === "no" ? 1 : zone === "no" ? 2 : instance === "unknown" || zone === "unknown" ? 3 : 4;

  function row(endpoint, variant, zones, heads, troubled) {
    const counts = [variant.desired, variant.current];
    const now = counts[0] ?? counts[1];
    const bounds = variant.maximum === null ? (variant.mode === "serverless" ? "–" : "fixed") : `${variant.minimum}–${variant.maximum}`;
    const cells = [element("th", { scope: "row", class: "name" },
      troubled ? element("a", { href: `#q=${encodeURIComponent(endpoint.name)}` }, endpoint.name) : endpoint.name,
      endpoint.variants.length > 1 ? ` / ${variant.name}` : "",
      endpoint.status === "InService" ? "" : element("b", { class: endpoint.survives.down ? "lost" : null }, ` ${endpoint.status}`))];
    const [words, mark] = survives(endpoint.survives);
    cells.push(element("td", { class: mark, title: endpoint.survives.reason || null }, words,
      endpoint.survives.reason ? element("small", {}, ` ${endpoint.survives.reason}`) : ""));
    if (variant.network === "vpc" || variant.proven) {
      const alone = variant.network === "vpc" && variant.zones.length < 2;
      for (const zone of zones) {
        const runs = variant.proven?.[zone] ?? 0;
        const can = runs || variant.network === "managed" || (variant.zones ?? []).includes(zone);
        const mark = runs ? `● ${runs} ${runs === 1 ? "runs" : "run"}` : can ? "○ possible" : "– no";
        cells.push(element("td", { class: alone && can ? "lost" : can ? "zone-yes" : "zone-no" }, alone && can ? `✕ only here${runs ? `, ${runs}` : ""}` : mark));
      }
    } else {
      const words = { managed: "any: SageMaker's own network", unknown: "unknown: not read" }[variant.network];
      cells.push(element("td", { colspan: Math.max(1, zones.length), class: "zone-no" }, words));
    }
    cells.push(element("td", {}, variant.mode === "instances" ? variant.instance_types.join(", ") || "–"
      : `${variant.mode}${variant.instance_types.length ? `, ${variant.instance_types.join(", ")}` : ""}`));
    cells.push(element("td", { class: `number${now !== null && now < 2 && variant.mode === "instances" ? " few" : ""}` },
      now === null ? "–" : counts[1] !== null && counts[1] !== now ? `${counts[1]} → ${now}` : String(now)));
    cells.push(element("td", { class: "number" }, bounds));
    cells.push(element("td", {}, now === null ? "" : scale(variant, widestOf(endpoint.region))));
    cells.push(element("td", { class: "back" }, ...comesBack(endpoint)));
    let column = 0;
    for (const cell of cells) {
      if (column > 1) cell.dataset.head = cell.colSpan > 1 ? "Zones" : heads[column];
      column += cell.colSpan;
    }
    return element("tr", { class: rank(endpoint) < 3 ? "failing" : null }, ...cells);
  }

  const widths = {};
  function widestOf(region) {
    widths[region] ??= Math.max(4, ...data.endpoints.filter((one) => one.region === region)
      .flatMap((one) => one.variants.map((variant) => Math.max(variant.maximum ?? 0, variant.desired ?? 0))).map((value) => Math.min(value, 20)));
    return widths[region];
  }

  // What stands in the row of an endpoint of which AWS names no variant, as of one that could not be created.
  const NOTHING = { name: "", mode: "instances", instance_types: [], current: null, desired: null, minimum: null, maximum: null,
    network: "unknown", zones: null, proven: null };

  function drawMap() {
    const rows = data.endpoints.map((one) => (one.variants.length ? one : { ...one, variants: [NOTHING] }));
    if (!rows.length) return;
    document.getElementById("zones").hidden = false;
    const troubled = new Set(findings.filter((one) => one.status === "open").flatMap(endpointsOf));
    const only = element("input", { type: "checkbox", id: "only-troubled" });
    const holder = element("div");
    const render = () => {
      holder.replaceChildren();
      const places = [...new Set(rows.map((one) => `${one.account} ${one.region}`))].sort();
      for (const place of places) {
        const [account, region] = place.split(" ");
        const own = rows.filter((one) => one.account === account && one.region === region);
        const zones = [...new Set([...(data.zones[region] ?? []), ...own.flatMap((one) => one.variants.flatMap((variant) => [...(variant.zones ?? []), ...Object.keys(variant.proven ?? {})]))])].sort();
        const shown = own.filter((one) => !only.checked || rank(one) < 3);
        shown.sort((a, b) => rank(a) - rank(b) || troubled.has(b.name) - troubled.has(a.name) || less(a.name, b.name));
        const body = element("tbody");
        const label = `Endpoints of ${account} in ${region}`;
        const heads = ["Endpoint", "Survives", ...(zones.length ? zones : ["Zones"]), "Runs on", "Instances", "Min–max", "Scale", "Comes back"];
        const table = element("table", {}, element("caption", { class: "offstage" }, label),
          element("thead", {}, element("tr", {}, ...heads.map((text, index) =>
            element("th", { scope: "col", class: text === "Instances" || text === "Min–max" ? "number" : null }, text)))), body);
        if (places.length > 1) holder.append(element("h3", {}, `${account}, ${region}`));
        holder.append(element("div", { class: "map", tabindex: "0", role: "group", "aria-label": label }, table));
        const lines = shown.flatMap((one) => one.variants.map((variant) => [one, variant]));
        let drawn = 0;
        const button = element("button", { type: "button", click: () => step() });
        const step = (all) => {
          const next = lines.slice(drawn, all ? undefined : drawn + (drawn ? CHUNK : 15));
          body.append(...next.map(([one, variant]) => row(one, variant, zones, heads, troubled.has(one.name))));
          drawn += next.length;
          const left = lines.length - drawn;
          button.hidden = !left;
          button.textContent = `Show ${number(Math.min(CHUNK, left))} more${left > CHUNK ? ` of ${plural(left, "variant")}` : ""}`;
        };
        step();
        holder.append(element("p", {}, button));
        wholeMap.push(() => step(true));
      }
    };
    only.addEventListener("change", render);
    document.getElementById("map").append(element("p", {}, element("label", { for: only.id }, only, "Only endpoints that are down, or would not survive an instance or a zone")), holder);
    render();
  }

  const wholeMap = [];
  const appendix = element("input", { type: "checkbox", id: "appendix" });

  // ---- beginning

  field("q", "Search", element("input", { type: "search", autocomplete: "off", spellcheck: "false" }));
  for (const [name, label] of [["severity", "Severity"], ["topic", "Topic"], ["rule", "Rule"], ["account", "Account"], ["region", "Region"],
    ["owner", "Owner"], ["status", "Status"], ["group", "Group"], ["order", "Sort"]]) field(name, label, element("select"));
  form.append(element("button", { type: "button", click: () => { history.replaceState(null, "", location.pathname + location.search); fields.q.value = ""; draw(); } }, "Clear"));
  document.getElementById("browser").append(form, element("p", { class: "count" }, count, rest, ...exports,
    element("label", { class: "appendix", for: "appendix" }, appendix, "Print with these findings as an appendix")), list);
  choices();
  draw();
  drawMap();
  addEventListener("hashchange", () => {
    draw();
    const state = asked();
    if (!state.finding && location.hash.includes("=")) document.getElementById("findings").focus();
  });
  addEventListener("beforeprint", () => {
    document.body.classList.toggle("summary", !appendix.checked);
    if (!appendix.checked) return;
    for (const step of wholeMap) step();
    showAll();
    for (const one of list.querySelectorAll(".finding")) {
      one.open = true;
      one.fill();
    }
  });
})();
