// The large curve of one analyte: opened as a sheet over the report when its fragment has arrived.
(() => {
  "use strict";
  const sheet = document.getElementById("trend-dialog");
  if (!sheet) return;
  const COLOURS = { high: "#ab2430", critical: "#ab2430", low: "#1d5a9e", "": "#0b6477" };
  let chart = null;

  function band(data, words) {
    if (data.low === null && data.high === null) return undefined;
    const values = data.points.map((point) => point.value);
    const low = data.low ?? Math.min(0, ...values);
    const high = data.high ?? Math.max(...values, data.low * 1.5);
    return { silent: true, itemStyle: { color: "rgba(23,105,74,.10)" }, label: { show: true, position: "insideTopLeft", color: "#17694a", fontSize: 11 }, data: [[{ name: words, yAxis: low }, { yAxis: high }]] };
  }

  function draw(place) {
    const data = JSON.parse(place.dataset.trend);
    const values = data.points.map((point) => point.value).concat([data.low, data.high].filter((limit) => limit !== null));
    const spread = (Math.max(...values) - Math.min(...values)) || Math.abs(values[0]) || 1;
    chart?.dispose();
    chart = window.echarts.init(place);
    chart.setOption({
      animation: false,
      grid: { left: 54, right: 24, top: 26, bottom: 34 },
      // Rich text is drawn on the canvas: no markup of ours or anybody's reaches the page.
      tooltip: { trigger: "axis", renderMode: "richText", formatter: ([item]) => { const point = data.points[item.dataIndex]; return `${point.at}\n${point.text} ${data.unit}\n${point.organization}`; } },
      xAxis: { type: "time", axisLabel: { color: "#5b6b76", hideOverlap: true, formatter: { year: "{yyyy}", month: "{yyyy}-{MM}", day: "{MM}-{dd}", hour: "{HH}:{mm}", minute: "{HH}:{mm}" } }, axisLine: { lineStyle: { color: "#c3ced4" } } },
      yAxis: { type: "value", scale: true, min: (range) => Number((Math.min(range.min, data.low ?? range.min) - spread * 0.08).toPrecision(3)), max: (range) => Number((Math.max(range.max, data.high ?? range.max) + spread * 0.08).toPrecision(3)), axisLabel: { color: "#5b6b76", showMinLabel: false, showMaxLabel: false }, splitLine: { lineStyle: { color: "#edf1f3" } }, name: data.unit, nameTextStyle: { color: "#5b6b76" } },
      series: [{ type: "line", symbol: "circle", symbolSize: 9, lineStyle: { color: "#5aa3b0", width: 2 }, data: data.points.map((point) => ({ value: [point.at.replace(" ", "T"), point.value], itemStyle: { color: COLOURS[point.tone] ?? COLOURS[""] } })), markArea: band(data, place.dataset.reference) }],
    });
  }

  document.body.addEventListener("htmx:after:swap", () => {
    const place = document.getElementById("trend-chart");
    if (!document.getElementById("trend").children.length || sheet.open) return;
    sheet.showModal();
    if (place) draw(place);
  });
  sheet.addEventListener("close", () => { chart?.dispose(); chart = null; document.getElementById("trend").replaceChildren(); });
  window.addEventListener("resize", () => chart?.resize());
})();
