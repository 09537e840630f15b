// What the pages do beyond HTML: dropping files, showing how far an upload is, times in the reader's own zone.
// Every page reads and works without this file; nothing here decides anything.
(() => {
  "use strict";

  const uploadForm = document.getElementById("drop");
  const notices = document.getElementById("notices");

  function refreshList() {
    const bar = document.querySelector("[data-here]");
    if (window.htmx && bar) {
      window.htmx.ajax("GET", bar.dataset.here, { target: "#documents", swap: "innerMorph" });
    } else {
      window.location.reload();
    }
  }

  function say(html) {
    notices.innerHTML = html;
  }

  function sayTrouble(text) {
    notices.replaceChildren();
    const box = document.createElement("div");
    box.className = "notice bad";
    box.textContent = text;
    notices.append(box);
  }

  // fetch() cannot tell how much was sent, so this is the older interface.
  function send(files) {
    if (files.length === 0) return;
    const data = new FormData();
    for (const file of files) data.append("files", file, file.name);
    const sending = uploadForm.querySelector(".sending");
    const bar = sending.querySelector("progress");
    const request = new XMLHttpRequest();
    request.open("POST", uploadForm.action);
    request.setRequestHeader("HX-Request", "true");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = (100 * event.loaded) / event.total;
    });
    request.addEventListener("load", () => {
      const isPart = (request.getResponseHeader("Content-Type") || "").startsWith("text/html");
      if (isPart && request.responseURL.endsWith("/documents")) say(request.responseText);
      else if (request.responseURL.includes("/sign-in")) window.location.assign("/sign-in");
      else sayTrouble("The server did not take the upload. Reload the page and try again.");
      refreshList();
    });
    request.addEventListener("error", () => sayTrouble("The connection broke before the files arrived. Try again."));
    request.addEventListener("loadend", () => {
      sending.hidden = true;
      bar.value = 0;
      uploadForm.reset();
    });
    sending.hidden = false;
    request.send(data);
  }

  if (uploadForm) {
    const input = uploadForm.querySelector("input[type=file]");
    input.addEventListener("change", () => send(input.files));
    uploadForm.addEventListener("submit", (event) => {
      event.preventDefault();
      send(input.files);
    });
    // A file dropped anywhere on the page is meant for the list; a browser would otherwise open it and leave.
    let depth = 0;
    const carriesFiles = (event) => event.dataTransfer && event.dataTransfer.types.includes("Files");
    document.addEventListener("dragenter", (event) => {
      if (!carriesFiles(event)) return;
      depth += 1;
      uploadForm.classList.add("over");
    });
    document.addEventListener("dragleave", (event) => {
      if (!carriesFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) uploadForm.classList.remove("over");
    });
    document.addEventListener("dragover", (event) => {
      if (carriesFiles(event)) event.preventDefault();
    });
    document.addEventListener("drop", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      depth = 0;
      uploadForm.classList.remove("over");
      send(event.dataTransfer.files);
    });
  }

  // One open question at a time, and it closes when attention goes elsewhere.
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details.ask[open]")) {
      if (!open.contains(event.target)) open.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const open of document.querySelectorAll("details.ask[open]")) open.open = false;
  });
})();
