// --- sliders of the budget: gains of all channels add up, draw by draw ----------------------------------------
const MINUS = "\u2212";

function decodedGains(channel, shares, draws) {
  const bytes = Uint8Array.from(atob(channel.gains), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const row = (at) => Float64Array.from({ length: draws }, (_, draw) => view.getInt16(2 * (at * draws + draw), true) * channel.unit);
  return shares.map((_, at) => row(at));
}

// The rule of numbers.py: three digits, a suffix for thousands, the sign of a currency in front, other units behind.
function shortAmount(value, [before, behind]) {
  const size = Math.abs(value);
  const [scale, suffix] = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"], [0, ""]].find(([least]) => Number(size.toPrecision(3)) >= least);
  const digits = String(Number((scale ? size / scale : size).toPrecision(3)));
  return (value < 0 && Number(digits) !== 0 ? MINUS + (before ? "\u2060" : "") : "") + before + digits + suffix + behind;
}

function likelihood(share) {
  return share > 0.99 ? "over 99%" : share < 0.01 ? "under 1%" : `${Math.round(100 * share)}%`;
}

function quantile(sorted, share) {
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  return sorted[low] + (place - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
}

// Gains over today per draw when each channel gets a share of today's spend; between two shares a line.
function gainsAt(tables, shares, chosen, draws) {
  const total = new Float64Array(draws);
  tables.forEach((table, at) => {
    const above = Math.max(1, shares.findIndex((share) => share >= chosen[at] - 1e-9));
    const part = (chosen[at] - shares[above - 1]) / (shares[above] - shares[above - 1]);
    for (let draw = 0; draw < draws; draw += 1) {
      total[draw] += table[above - 1][draw] + part * (table[above][draw] - table[above - 1][draw]);
    }
  });
  return total;
}

for (const item of document.querySelectorAll(".sliders")) {
  const { grid, unit, money, net } = JSON.parse(item.querySelector(".grid").textContent);
  const { shares, draws, channels } = grid;
  const tables = channels.map((channel) => decodedGains(channel, shares, draws));
  const inputs = [...item.querySelectorAll("input")];
  const bare = unit[0] ? [unit[0], ""] : unit;
  const answer = (name, text) => { item.querySelector(`[data-answer="${name}"]`).textContent = text; };
  const today = channels.reduce((sum, channel) => sum + channel.today, 0);

  const show = () => {
    const chosen = inputs.map((input) => 1 + Number(input.value) / 100);
    const spend = channels.reduce((sum, channel, at) => sum + chosen[at] * channel.today, 0);
    const gains = gainsAt(tables, shares, chosen, draws).sort();
    const isToday = inputs.every((input) => Number(input.value) === 0);
    answer("gain", shortAmount(gains.reduce((sum, gain) => sum + gain, 0) / draws, unit));
    answer("interval", `${shortAmount(quantile(gains, 0.05), bare)} to ${shortAmount(quantile(gains, 0.95), bare)}`);
    answer("better", isToday ? "it is today" : likelihood(gains.filter((gain) => gain > 0).length / draws));
    const more = Math.round(1000 * (spend / today - 1)) / 10;
    answer("spend", `${shortAmount(spend, money)} (${more < 0 ? MINUS : "+"}${Math.abs(more)}%)`);
    const far = inputs.flatMap((input, at) => chosen[at] > Math.max(1, Number(input.dataset.seen)) + 1e-9 ? [item.querySelectorAll("label")[at].textContent] : []);
    const warnings = far.length ? [`More in one ${grid.period} than ever seen: ${far.join(", ")}. The answer is the model\u2019s guess.`] : [];
    const short = inputs.flatMap((input, at) => Number(input.value) === Number(input.max) && 100 * (Number(input.dataset.plan) - 1) > Number(input.max) + 0.5 ? [item.querySelectorAll("label")[at].textContent] : []);
    if (short.length) warnings.push(`The suggested plan gives more than the slider reaches: ${short.join(", ")}.`);
    if (!net && Math.abs(more) >= 0.1) warnings.push("Gains do not count the money that is spent more or less.");
    answer("beyond", warnings.join(" "));
    inputs.forEach((input, at) => {
      const value = Number(input.value);
      const words = `${value < 0 ? MINUS : value > 0 ? "+" : ""}${Math.abs(value)}%, ${shortAmount(chosen[at] * channels[at].today, money)}`;
      item.querySelectorAll("output")[at].textContent = input.disabled ? `${words}, test first` : words;
      input.setAttribute("aria-valuetext", words);
    });
  };

  item.addEventListener("input", show);
  item.querySelectorAll("[data-set]").forEach((button) => button.addEventListener("click", () => {
    inputs.forEach((input) => {
      if (!input.disabled) input.value = button.dataset.set === "plan" ? Math.round(100 * (Number(input.dataset.plan) - 1)) : 0;
    });
    show();
  }));
  show();
}
