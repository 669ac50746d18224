"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const RANK = { critical: 4, high: 3, medium: 2, low: 1, info: 0 };
  const SEVERITIES = Object.keys(RANK);
  const CONCERNS = ["broken", "would_break", "costs", "style"];
  const MOST_CENTS = 10 ** 12 - 1;
  const CHUNK = 100;
  const findings = data.findings.map((finding) => ({
    ...finding,
    title: data.titles[finding.rule] || finding.rule,
    why: data.texts[finding.why],
    fix: { text: data.texts[finding.fix.text], commands: finding.fix.commands, snippets: finding.fix.snippets },
    references: finding.references.map((index) => data.texts[index]),
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
    const parameters = new URLSearchParams(location.hash.slice(1));
    return Object.fromEntries(FILTERS.map((name) => [name, parameters.get(name) ?? DEFAULTS[name] ?? ""]));
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
  function endpointsOf(finding) {
    const { kind, name } = finding.resource;
    const parts = name.split("/");
    const scaling = { "scalable-target": 2, "scaling-policy": 3 }[kind];
    if (kind === "endpoint" || kind === "endpoint-variant" || (scaling && parts.length === scaling)) return [parts[0]];
    return Array.isArray(finding.evidence.endpoints) ? finding.evidence.endpoints : [];
  }

  function rootOf(finding) {
    const { kind, name } = finding.resource;
    const endpoints = endpointsOf(finding);
    const scaled = kind === "scalable-target" || kind === "scaling-policy";
    const root = endpoints.length === 1 ? ["endpoint", endpoints[0]]
      : scaled ? ["inference-component", name.split("/")[0]] : [kind, name];
    return { kind: root[0], name: root[1], key: [finding.account, finding.region, ...root].join("\n") };
  }

  function haystack(finding) {
    finding.text ??= [finding.id, finding.rule, finding.title, finding.topic, finding.summary, finding.resource.name, finding.resource.arn, finding.account,
      finding.region, finding.owner || "", ...endpointsOf(finding), ...finding.fix.commands, ...Object.values(finding.fix.snippets),
      JSON.stringify(finding.evidence)].join("\n").toLowerCase();
    return finding.text;
  }

  function chosen(state) {
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    const exact = state.severity.startsWith("only-") ? state.severity.slice(5) : "";
    const least = RANK[state.severity] ?? 0;
    return findings.filter((finding) =>
      (exact ? finding.severity === exact : RANK[finding.severity] >= least)
      && (state.status === "all" || finding.status === state.status)
      && (!state.topic || finding.topic === state.topic)
      && (!state.rule || finding.rule === state.rule)
      && (!state.account || finding.account === state.account)
      && (!state.region || finding.region === state.region)
      && (!state.owner || (finding.owner || "nobody") === state.owner)
      && words.every((word) => haystack(finding).includes(word)));
  }

  // The order of every report: by concern, then the more severe, then the larger saving, then by name.
  const usd = (finding) => finding.saving?.monthly_usd ?? 0;
  const less = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  function place(finding) {
    const cents = Math.max(0, Math.min(Math.round(usd(finding) * 100), MOST_CENTS));
    return [`${CONCERNS.indexOf(finding.concern ?? "would_break")}${9 - RANK[finding.severity]}`, String(MOST_CENTS - cents).padStart(12, "0"),
      finding.resource.name, finding.rule, finding.region, finding.id].join("#");
  }
  const ORDERS = {
    first: ["do first", () => 0],
    severity: ["severity", (a, b) => RANK[b.severity] - RANK[a.severity]],
    age: ["age", (a, b) => less(a.first_seen, b.first_seen)],
    owner: ["owner", (a, b) => less(a.owner || "\uffff", b.owner || "\uffff")],
    saving: ["saving", (a, b) => usd(b) - usd(a)],
    name: ["name", (a, b) => less(a.resource.name, b.resource.name)],
  };

  function sorted(listed, order) {
    const by = (ORDERS[order] ?? ORDERS.first)[1];
    for (const finding of listed) finding.place ??= place(finding);
    return listed.sort((a, b) => by(a, b) || less(a.place, b.place));
  }

  // Groups stand by their first finding.
  function grouped(listed, by) {
    const groups = new Map();
    for (const finding of listed) {
      const root = by === "rule" ? { key: finding.rule, name: finding.title, kind: finding.rule } : rootOf(finding);
      if (!groups.has(root.key)) groups.set(root.key, { ...root, findings: [], rank: 0 });
      const group = groups.get(root.key);
      group.findings.push(finding);
      group.rank = Math.max(group.rank, RANK[finding.severity]);
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
  function exemptionOf(finding) {
    return ["exemptions:", `  - rule: ${JSON.stringify(finding.rule)}`, `    resource: ${JSON.stringify(finding.resource.arn || finding.resource.name)}`,
      "    reason: WHY", `    owner: ${JSON.stringify(finding.owner || "WHO")}`, "    expires: YYYY-MM-DD"].join("\n");
  }

  function link(address, text) {
    return /^https?:\/\//.test(address) ? element("a", { href: address, rel: "noopener noreferrer", target: "_blank" }, text) : text;
  }

  function body(finding) {
    const made = element("div", { class: "body" }, element("p", {}, finding.summary));
    const add = (title, ...children) => made.append(element("h4", {}, title), ...children);
    add("Why", element("p", {}, finding.why));
    const copied = (code) => {
      const button = element("button", { type: "button", click: () => copy(code, button) }, "Copy");
      return element("div", { class: "command" }, element("pre", {}, code), button);
    };
    const { text, commands, snippets } = finding.fix;
    add("Fix", element("p", {}, text), ...(commands.length ? [copied(commands.join("\n"))] : []));
    if (finding.status === "open") {
      const label = "Copy an exemption for the policy";
      const button = element("button", { type: "button", class: "quiet", click: () => copy(exemptionOf(finding), button, label) }, label);
      made.append(element("p", {}, button));
    }
    for (const [language, snippet] of Object.entries(snippets)) add(languages[language], copied(snippet));
    if (finding.saving) add("Saving", element("p", {}, `$${number(Math.round(finding.saving.monthly_usd))} a month: ${finding.saving.basis}`));
    if (finding.cost_usd) add("Cost of the fix", element("p", {}, `$${number(Math.round(finding.cost_usd))} a month: ${finding.evidence.money?.basis ?? ""}`));
    const facts = Object.entries(finding.evidence);
    if (facts.length) {
      add("Evidence", element("dl", { class: "evidence" }, ...facts.flatMap(([name, value]) =>
        [element("dt", {}, name.replaceAll("_", " ")), element("dd", {}, said(value))])));
    }
    if (finding.exemption) {
      const { reason, owner, expires, source } = finding.exemption;
      add("Exemption", element("p", {}, `${reason}${owner ? `, ${owner}` : ""}${expires ? `, until ${expires}` : ""} (by ${source})`));
    }
    add("History", element("p", {}, [
      `First seen ${when(finding.first_seen)}`,
      `last seen ${when(finding.last_seen)}`,
      finding.resolved_at ? `resolved ${when(finding.resolved_at)}` : null,
      `confidence ${finding.confidence}`,
    ].filter(Boolean).join(", ") + "."));
    const links = finding.references.map((address) => element("li", {}, link(address, address)));
    const console = finding.resource.console_url;
    if (console) links.unshift(element("li", {}, link(console, `${finding.resource.name} in the AWS console`)));
    if (finding.well_architected.length) links.push(element("li", {}, `Well-Architected ${finding.well_architected.join(", ")}`));
    if (links.length) add("References", element("ul", { class: "links" }, ...links));
    add("Identity", element("p", {}, element("code", {}, finding.rule), " on ", element("code", {}, finding.resource.arn), " in ",
      `${finding.account}, ${finding.region}`, finding.owner ? `, owner ${finding.owner}` : "", ". ",
      element("a", { href: `#finding=${finding.id}` }, "Link to this finding")));
    return made;
  }

  const money = (value) => `$${number(Math.round(value))}`;
  const finished = Date.parse(document.querySelector("header time").getAttribute("datetime"));

  // What stands in the same columns of every row: owner, saving, age, and what else there is to say.
  function cellsOf(listed, tail) {
    const owners = [...new Set(listed.map((finding) => finding.owner).filter(Boolean))];
    const saving = Math.max(...listed.map(usd));
    const days = Math.floor((finished - Math.min(...listed.map((finding) => Date.parse(finding.first_seen)))) / 864e5);
    return [
      element("span", { class: "cell owner" }, owners.length ? owners.slice(0, 2).join(", ") + (owners.length > 2 ? " …" : "") : "–"),
      element("span", { class: "cell saving" }, saving >= 0.5 ? `${money(saving)}/mo` : ""),
      element("span", { class: "cell age" }, days > 0 ? plural(days, "day") : "new"),
      element("span", { class: "cell tail" }, tail),
    ];
  }

  function entry(finding, by) {
    const made = element("details", { class: `finding ${finding.status}`, id: finding.id },
      element("summary", {}, badge(finding.severity),
        element("span", { class: "what" }, by === "rule" ? finding.summary : finding.title),
        ...cellsOf([finding], [finding.resource.name, finding.status === "open" ? "" : finding.status].filter(Boolean).join(", "))));
    made.fill = () => { if (!made.querySelector(".body")) made.append(body(finding)); };
    made.firstChild.addEventListener("click", made.fill);
    made.addEventListener("toggle", () => { if (made.open) made.fill(); });
    return made;
  }

  // ---- groups, drawn as far as they are looked at

  function inChunks(into, items, draw, label) {
    let shown = 0;
    const button = element("button", { type: "button", click: () => step(CHUNK) }, "");
    const holder = element("p", {}, button);
    into.append(holder);
    function step(count) {
      const next = items.slice(shown, shown + count).map(draw);
      holder.before(...next);
      const focused = document.activeElement === button;
      shown += next.length;
      const left = items.length - shown;
      button.textContent = `Show ${number(Math.min(CHUNK, left))} more${left > CHUNK ? ` of ${plural(left, label)}` : ""}`;
      holder.hidden = !left;
      if (focused && next.length) (next[0].querySelector("summary") ?? next[0]).focus();
    }
    step(CHUNK);
    return () => step(items.length);
  }

  function titlesOf(group) {
    const titles = [...new Set(group.findings.map((finding) => finding.title))];
    return titles.slice(0, 2).join("; ") + (titles.length > 2 ? `; ${titles.length - 2} more` : "");
  }

  function groupOf(group, by) {
    const where = [...new Set(group.findings.map((finding) => `${finding.account}, ${finding.region}`))];
    const made = element("details", { class: by === "rule" ? "group by-rule" : "group" },
      element("summary", {}, badge(SEVERITIES[4 - group.rank]), element("h3", {}, group.name, by === "rule" ? "" : element("small", {}, ` ${group.kind}`)),
        by === "rule" ? null : element("span", { class: "what" }, titlesOf(group)),
        ...cellsOf(group.findings, [by === "rule" ? group.kind : "", many && where.length === 1 ? where[0] : "", plural(group.findings.length, "finding")]
          .filter(Boolean).join(" · "))));
    made.fill = () => {
      if (made.querySelector(".finding")) return;
      const into = element("div");
      made.append(into);
      made.all = inChunks(into, group.findings, (finding) => entry(finding, by), "finding");
    };
    made.firstChild.addEventListener("click", made.fill);
    made.addEventListener("toggle", () => { if (made.open) made.fill(); });
    return made;
  }

  // ---- the list and its filters

  const many = new Set(findings.map((finding) => `${finding.account} ${finding.region}`)).size > 1 || Boolean(more);
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
    severity: (finding) => finding.severity, concern: (finding) => finding.concern, rule: (finding) => finding.rule, title: (finding) => finding.title,
    kind: (finding) => finding.resource.kind, resource: (finding) => finding.resource.name, arn: (finding) => finding.resource.arn, account: (finding) => finding.account,
    region: (finding) => finding.region, owner: (finding) => finding.owner ?? "", status: (finding) => finding.status, summary: (finding) => finding.summary,
    fix: (finding) => finding.fix.text, commands: (finding) => finding.fix.commands.join("\n"), evidence: (finding) => JSON.stringify(finding.evidence),
    saving_monthly_usd: (finding) => finding.saving?.monthly_usd ?? "", cost_monthly_usd: (finding) => finding.cost_usd ?? "",
    first_seen: (finding) => finding.first_seen, id: (finding) => finding.id,
  };

  function cell(value) {
    const text = String(value);
    return `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  }

  const WRITERS = {
    CSV: ["text/csv", () => [Object.keys(COLUMNS), ...shown.map((finding) => Object.values(COLUMNS).map((column) => column(finding)))]
      .map((line) => line.map(cell).join(",")).join("\r\n")],
    JSON: ["application/json", () => JSON.stringify(shown.map(({ text, place, ...finding }) => finding), null, 2)],
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
  const named = (names, everything) => [["", everything], ...names.map((name) => [name, name.replaceAll("-", " ")])];
  const plain = (names, everything) => [["", everything], ...names.map((name) => [name, name])];

  function choices() {
    options(fields.severity, [["", "all severities"], ...SEVERITIES.map((severity) => [`only-${severity}`, `${severity} only`]),
      ...SEVERITIES.slice(1, 4).map((severity) => [severity, `${severity}, or worse`])]);
    options(fields.topic, named(values((finding) => finding.topic), "all topics"));
    options(fields.rule, [["", "all rules"], ...values((finding) => finding.rule).map((rule) => [rule, rule])]);
    for (const [name, everything] of [["account", "all accounts"], ["region", "all regions"]]) {
      const names = values((finding) => finding[name]);
      options(fields[name], plain(names, everything));
      fields[name].parentElement.hidden = names.length < 2;
    }
    options(fields.owner, plain(values((finding) => finding.owner || "nobody"), "all owners"));
    const statuses = values((finding) => finding.status);
    options(fields.status, [...new Set(["open", ...statuses])].map((status) => [status, status]).concat([["all", "all"]]));
    fields.status.parentElement.hidden = statuses.every((status) => status === "open");
    options(fields.group, [["resource", "by resource"], ["rule", "by rule"]]);
    options(fields.order, Object.entries(ORDERS).map(([name, [words]]) => [name, words]));
  }

  function draw() {
    const state = asked();
    for (const [name, control] of Object.entries(fields)) {
      if (control === document.activeElement && control.type === "search") continue;
      if (control.tagName === "SELECT" && ![...control.options].some((option) => option.value === state[name])) {
        control.append(element("option", { value: state[name] }, state[name]));
      }
      control.value = state[name];
    }
    const matching = sorted(chosen(state), state.order);
    shown = matching;
    const groups = grouped(matching, state.group);
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
    count.textContent = matching.length
      ? `${plural(matching.length, "finding")} on ${plural(groups.length, word)}${matching.length < findings.length ? ` of ${number(findings.length)}` : ""}`
      : "No finding matches.";
    if (!matching.length && findings.length === 0) count.textContent = "No findings.";
    rest.hidden = !more;
    for (const button of exports) button.hidden = !matching.length;
    if (state.finding) show(state.finding, groups, state.group);
  }

  function show(id, groups, by) {
    const index = groups.findIndex((group) => group.findings.some((finding) => finding.id === id));
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
        for (const finding of page.findings) findings.push(finding);
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
    const open = answers.filter(([, reply]) => reply.answer !== "yes");
    if (!open.length) return ["● yes"];
    return open.map(([name, reply]) => element("details", {},
      element("summary", { class: reply.answer === "no" ? "few" : null }, `${reply.answer === "no" ? "✕ not" : "? unknown:"} ${questions[name]}`),
      reply.reason));
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
    widths[region] ??= Math.max(4, ...data.endpoints.filter((endpoint) => endpoint.region === region)
      .flatMap((endpoint) => endpoint.variants.map((variant) => Math.max(variant.maximum ?? 0, variant.desired ?? 0))).map((value) => Math.min(value, 20)));
    return widths[region];
  }

  // What stands in the row of an endpoint of which AWS names no variant, as of one that could not be created.
  const NOTHING = { name: "", mode: "instances", instance_types: [], current: null, desired: null, minimum: null, maximum: null,
    network: "unknown", zones: null, proven: null };

  function drawMap() {
    const rows = data.endpoints.map((endpoint) => (endpoint.variants.length ? endpoint : { ...endpoint, variants: [NOTHING] }));
    if (!rows.length) return;
    document.getElementById("zones").hidden = false;
    const troubled = new Set(findings.filter((finding) => finding.status === "open").flatMap(endpointsOf));
    const only = element("input", { type: "checkbox", id: "only-troubled" });
    const holder = element("div");
    const render = () => {
      holder.replaceChildren();
      const places = [...new Set(rows.map((endpoint) => `${endpoint.account} ${endpoint.region}`))].sort();
      for (const place of places) {
        const [account, region] = place.split(" ");
        const own = rows.filter((endpoint) => endpoint.account === account && endpoint.region === region);
        const zones = [...new Set([...(data.zones[region] ?? []), ...own.flatMap((endpoint) => endpoint.variants.flatMap((variant) => [...(variant.zones ?? []), ...Object.keys(variant.proven ?? {})]))])].sort();
        const shown = own.filter((endpoint) => !only.checked || rank(endpoint) < 3);
        shown.sort((a, b) => rank(a) - rank(b) || troubled.has(b.name) - troubled.has(a.name) || less(a.name, b.name));
        const body = element("tbody");
        const label = `Endpoints of ${account} in ${region}`;
        const heads = ["Endpoint", "Survives", ...(zones.length ? zones : ["Zones"]), "Runs on", "Instances", "Min–max", "Scale", "Comes back"];
        const table = element("table", {}, element("caption", { class: "offstage" }, label),
          element("thead", {}, element("tr", {}, ...heads.map((text, index) =>
            element("th", { scope: "col", class: text === "Instances" || text === "Min–max" ? "number" : null }, text)))), body);
        if (places.length > 1) holder.append(element("h3", {}, `${account}, ${region}`));
        holder.append(element("div", { class: "map", tabindex: "0", role: "group", "aria-label": label }, table));
        const lines = shown.flatMap((endpoint) => endpoint.variants.map((variant) => [endpoint, variant]));
        let drawn = 0;
        const button = element("button", { type: "button", click: () => step() });
        const step = (all) => {
          const next = lines.slice(drawn, all ? undefined : drawn + (drawn ? CHUNK : 15));
          body.append(...next.map(([endpoint, variant]) => row(endpoint, variant, zones, heads, troubled.has(endpoint.name))));
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
    for (const detail of list.querySelectorAll(".finding")) {
      detail.open = true;
      detail.fill();
    }
  });
})();
