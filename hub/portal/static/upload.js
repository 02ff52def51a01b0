// Uploading: each file goes by itself, two at a time, so that every file has its own progress and its own receipt.
(() => {
  "use strict";
  const AT_ONCE = 2;
  const form = document.querySelector("[data-upload]");
  if (!form) return;
  document.body.classList.add("scripted");
  const input = form.querySelector("input[type=file]");
  const drop = form.querySelector("[data-drop]");
  const list = document.querySelector("[data-receipts]");
  const queue = [];
  let running = 0;

  function line(file) {
    const row = document.createElement("li");
    row.className = "receipt";
    row.innerHTML = '<span class="receipt-sign"></span><div class="receipt-words"><p class="receipt-name"><strong></strong></p><p class="quiet"></p><progress max="1" value="0"></progress></div>';
    row.querySelector("strong").textContent = file.name;
    row.querySelector(".quiet").textContent = form.dataset.waiting;
    list.prepend(row);
    return row;
  }

  function add(files) {
    if (!files.length) return;
    document.querySelector(".receipts-title").hidden = false;
    const words = new FormData(form);
    words.delete("files");
    for (const file of files) {
      const job = { file, words, row: line(file) };
      if (file.size > Number(form.dataset.limit)) failed(job, form.dataset.large);
      else queue.push(job);
    }
    input.value = "";
    next();
  }

  function next() {
    while (running < AT_ONCE && queue.length) send(queue.shift());
  }

  function send(job) {
    running += 1;
    const data = new FormData();
    for (const [name, value] of job.words) data.append(name, value);
    data.append("files", job.file);
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("HX-Request", "true");
    request.setRequestHeader("HX-Request-Type", "partial");
    request.setRequestHeader("X-CSRF-Token", form.elements.csrf.value);
    request.upload.addEventListener("progress", (event) => {
      job.row.querySelector("progress").value = event.total ? event.loaded / event.total : 0;
      job.row.querySelector(".quiet").textContent = form.dataset.sending;
    });
    request.addEventListener("load", () => (request.getResponseHeader("HX-Redirect") ? location.assign(request.getResponseHeader("HX-Redirect")) : request.status === 200 ? done(job, request.responseText) : failed(job, refusal(request.responseText))));
    request.addEventListener("error", () => failed(job, form.dataset.failed));
    request.addEventListener("loadend", () => { running -= 1; next(); if (!running) document.body.dispatchEvent(new Event("delivered")); });
    request.send(data);
  }

  function done(job, html) {
    // The hub's own escaped fragment; the policy of the page would run nothing in it anyway.
    const parsed = new DOMParser().parseFromString(html, "text/html");
    job.row.replaceWith(...parsed.querySelectorAll("li.receipt"));
  }

  function refusal(html) {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    const said = [...parsed.querySelectorAll(".nothing-text, .fault-text")].map((part) => part.textContent.trim());
    return said.join(" ") || form.dataset.failed;
  }

  function failed(job, words) {
    job.row.classList.add("receipt-bad");
    job.row.querySelector("progress").remove();
    job.row.querySelector(".quiet").textContent = words;
    const again = document.createElement("button");
    again.type = "button";
    again.className = "btn btn-sm";
    again.textContent = form.dataset.again;
    again.addEventListener("click", () => { job.row.remove(); job.row = line(job.file); queue.push(job); next(); });
    job.row.querySelector(".receipt-words").append(again);
  }

  form.addEventListener("submit", (event) => { event.preventDefault(); if (input.files.length) add([...input.files]); else input.click(); });
  input.addEventListener("change", () => { if (!form.querySelector("details").open) add([...input.files]); else drop.querySelector("strong").textContent = [...input.files].map((file) => file.name).join(", "); });
  for (const name of ["dragenter", "dragover"]) document.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) document.addEventListener(name, (event) => { event.preventDefault(); if (name === "drop" || !event.relatedTarget) drop.classList.remove("over"); });
  document.addEventListener("drop", (event) => add([...event.dataTransfer.files]));
})();
