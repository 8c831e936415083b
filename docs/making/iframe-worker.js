// Search in pages that are opened from a file: browsers start no worker there, so that it runs in a hidden frame.
// The theme asks for a class of this name; its own copy would be loaded from the network.
if (location.protocol === "file:") {
  window.IFrameWorker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      this.inside = frame.contentWindow;
      window.addEventListener("message", (event) => {
        if (event.source === this.inside) this.dispatchEvent(new MessageEvent("message", { data: event.data }));
      });
      const page = this.inside.document;
      page.open();
      page.write(
        `<script>
          postMessage = (data) => parent.postMessage(data, "*");
          importScripts = (...urls) => Promise.all(urls.map((url) => new Promise((done, failed) => {
            const script = document.createElement("script");
            Object.assign(script, { src: url, onload: done, onerror: failed });
            document.body.append(script);
          })));
        <\/script><script src="${url}"><\/script>`
      );
      page.close();
      this.ready = new Promise((done) => frame.addEventListener("load", done, { once: true }));
    }
    postMessage(data) {
      this.ready.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data })));
    }
  };
  window.Worker = window.IFrameWorker;
}
