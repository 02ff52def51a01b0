// Decisions by month as bars, the share that was recognised as a line over them.
(() => {
  "use strict";
  const place = document.getElementById("months-chart");
  if (!place) return;
  const { months, names } = JSON.parse(place.dataset.months);
  const bar = (key, colour) => ({ name: names[key], type: "bar", stack: "all", barMaxWidth: 44, itemStyle: { color: colour }, data: months.map((each) => each[key]) });
  const chart = window.echarts.init(place);
  chart.setOption({
    animation: false,
    grid: { left: 48, right: 52, top: 40, bottom: 30 },
    legend: { top: 4, textStyle: { color: "#5b6b76" } },
    tooltip: { trigger: "axis", renderMode: "richText" },
    xAxis: { type: "category", data: months.map((each) => each.month), axisLabel: { color: "#5b6b76" }, axisLine: { lineStyle: { color: "#c3ced4" } } },
    yAxis: [
      { type: "value", minInterval: 1, axisLabel: { color: "#5b6b76" }, splitLine: { lineStyle: { color: "#edf1f3" } } },
      { type: "value", min: 0, max: 100, axisLabel: { color: "#5b6b76", formatter: "{value} %" }, splitLine: { show: false } },
    ],
    series: [
      bar("recognised", "#1f7a55"),
      bar("refused", "#b49ac7"),
      { name: names.rate, type: "line", yAxisIndex: 1, symbolSize: 8, lineStyle: { color: "#0b6477", width: 2 }, itemStyle: { color: "#0b6477" }, data: months.map((each) => (each.rate === null ? null : Number(each.rate.toFixed(1)))) },
    ],
  });
  window.addEventListener("resize", () => chart.resize());
})();
