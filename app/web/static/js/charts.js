// Charts from the figures of the page. The table of the same figures is always in the page; it is
// folded once the chart is drawn. Colours come from tokens.css, so a tenant's brand reaches them.

const style = getComputedStyle(document.documentElement);
const token = (name) => style.getPropertyValue(name).trim();
const thousands = new Intl.NumberFormat("zh-CN");

function optionOf({ kind, categories, series, unit }) {
  return {
    animation: !window.matchMedia("(prefers-reduced-motion: reduce)").matches,
    animationDuration: 300,
    aria: { enabled: true, decal: { show: series.length > 1 && kind === "bar" } },
    color: [1, 2, 3, 4, 5].map((step) => token(`--series-${step}`)),
    textStyle: { fontFamily: token("--font"), color: token("--ink-soft") },
    grid: { left: 8, right: 16, top: 36, bottom: 8, containLabel: true },
    legend: { show: series.length > 1, top: 0, right: 0, icon: "roundRect", itemWidth: 12, itemHeight: 8 },
    // the policy forbids style attributes, which the HTML tooltip is made of
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      valueFormatter: (value) => (value === null ? "—" : `${thousands.format(value)} ${unit ?? ""}`),
      axisPointer: { type: kind === "bar" ? "shadow" : "line" },
    },
    xAxis: {
      type: "category",
      data: categories,
      boundaryGap: kind === "bar",
      axisTick: { show: false },
      axisLine: { lineStyle: { color: token("--line-control") } },
    },
    yAxis: {
      type: "value",
      name: unit,
      minInterval: 1,
      nameTextStyle: { align: "right", padding: [0, 8, 0, 0], color: token("--ink-faint") },
      axisLabel: { formatter: (value) => thousands.format(value) },
      splitLine: { lineStyle: { color: token("--line") } },
    },
    series: series.map(({ name, values }, index) => ({
      name,
      type: kind,
      data: values,
      barMaxWidth: 28,
      lineStyle: { width: 2, type: index ? "dashed" : "solid" },
      symbol: ["circle", "rect", "triangle", "diamond"][index % 4],
      symbolSize: 6,
      showSymbol: categories.length <= 31,
    })),
  };
}

async function dataOf(figure) {
  const inside = figure.querySelector("script[data-chart-data]");
  if (inside) {
    return JSON.parse(inside.textContent);
  }
  const answer = await fetch(figure.dataset.chartUrl, { headers: { Accept: "application/json" } });
  if (!answer.ok) {
    throw new Error(`${figure.dataset.chartUrl} answered ${answer.status}`);
  }
  return answer.json();
}

async function draw(figure) {
  const data = await dataOf(figure);
  const canvas = figure.querySelector("[data-chart-canvas]");
  canvas.hidden = false;
  const chart = window.echarts.init(canvas);
  chart.setOption(optionOf(data));
  chart.on("click", ({ seriesIndex, dataIndex }) => {
    const href = data.series[seriesIndex].hrefs?.[dataIndex];
    if (href) {
      window.location.assign(href);
    }
  });
  new ResizeObserver(() => chart.resize()).observe(canvas);
  figure.querySelector("details").open = false;
}

async function drawAll(root) {
  for (const figure of root.querySelectorAll("[data-chart]:not([data-drawn])")) {
    figure.dataset.drawn = "";
    try {
      await draw(figure);
    } catch (error) {
      // the table stays open and says the same
      console.error(error);
    }
  }
}

drawAll(document);
document.addEventListener("htmx:load", (event) => drawAll(event.detail.elt));
