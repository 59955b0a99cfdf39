// Plays fragmented MP4 from a stream in a video element, close behind its newest picture.
const Source = window.ManagedMediaSource ?? window.MediaSource;
const BEHIND_S = 3, KEPT_S = 30;

export const canPlay = (type) => Boolean(Source?.isTypeSupported(type));

export class Player {
  constructor(video) {
    this.video = video;
    this.shows = false;
    this.cameAt = null;
  }
  // Seconds without a picture.
  get silentS() {
    return this.cameAt === null ? 0 : (performance.now() - this.cameAt) / 1000;
  }
  // Until the stream ends. Throws where it breaks, or the decoder refuses it. `onFirst`: the first picture is there.
  async play(body, type, onFirst) {
    const source = new Source(), video = this.video;
    // ManagedMediaSource opens for an element alone that plays nowhere else.
    video.disableRemotePlayback = true;
    video.src = URL.createObjectURL(source);
    await new Promise((done) => source.addEventListener("sourceopen", done, { once: true }));
    URL.revokeObjectURL(video.src);
    const buffer = source.addSourceBuffer(type), reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      await update(buffer, () => buffer.appendBuffer(value));
      if (video.error) throw new Error(video.error.message);
      this.cameAt = performance.now();
      if (!buffer.buffered.length) continue;
      this.follow(buffer.buffered);
      const first = buffer.buffered.start(0);
      if (video.currentTime - first > KEPT_S) await update(buffer, () => buffer.remove(first, video.currentTime - 5));
      if (!this.shows && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) {
        this.shows = true;
        onFirst();
      }
    }
  }
  // Whole groups may be missing, and whoever joins begins in the middle: the newest counts.
  follow(ranges) {
    const last = ranges.length - 1, begin = ranges.start(last), end = ranges.end(last), { video } = this;
    if (video.currentTime < begin || end - video.currentTime > BEHIND_S) video.currentTime = Math.max(begin, end - 0.3);
    if (video.paused) video.play().catch(() => {});
  }
  // The picture that is shown, as JPEG; null where there is none.
  takePicture() {
    const canvas = document.createElement("canvas");
    canvas.width = this.video.videoWidth;
    canvas.height = this.video.videoHeight;
    if (!canvas.width) return null;
    canvas.getContext("2d").drawImage(this.video, 0, 0);
    return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
  }
  end() {
    this.shows = false;
    this.video.hidden = true;
    this.video.removeAttribute("src");
    this.video.load();
  }
}
function update(buffer, change) {
  return new Promise((done, failed) => {
    buffer.onupdateend = done;
    buffer.onerror = () => failed(new Error("the decoder refuses it"));
    change();
  });
}
