// A client that @hey-api/openapi-ts makes of a document walks a running service. Prints a line of JSON for the test.
import * as prober from "./prober/index.js";
import * as forwarder from "./forwarder/index.js";
import * as reporting from "./reporting/index.js";
import { client as ofProber } from "./prober/client.gen.js";
import { client as ofForwarder } from "./forwarder/client.gen.js";
import { client as ofReporting } from "./reporting/client.gen.js";

const [, , proberUrl, forwarderUrl, reportingUrl] = process.argv;
const auth = () => process.env.TOKEN;
ofProber.setConfig({ baseUrl: proberUrl, auth });
ofForwarder.setConfig({ baseUrl: forwarderUrl, auth });
ofReporting.setConfig({ baseUrl: reportingUrl, auth });
const nobody = "00000000-0000-4000-8000-000000000000";

async function cameras(): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const { data, error } = await prober.listCameras({ query: { limit: 2, cursor } });
    if (error !== undefined) throw new Error(JSON.stringify(error));
    for (const item of data.items) found.push(String(item.camera_id));
    cursor = data.next ?? undefined;
  } while (cursor !== undefined);
  return found;
}

const whole = await prober.listCameras({ query: { limit: 1000, total: true } });
const missing = await forwarder.getDelivery({ path: { delivery_id: nobody } });
const wrong = await forwarder.listDeliveries({ query: { limit: 0 } });
const windows = await reporting.listWindows();
const etag = windows.response.headers.get("etag") ?? "";
const unchanged = await reporting.listWindows({ headers: { "If-None-Match": etag } });
const cancelled = await reporting.cancelWindow({ path: { window_id: nobody } });
const table = await reporting.downloadCompliance({ parseAs: "text" });
console.log(
  JSON.stringify({
    walked: await cameras(),
    total: whole.data?.total,
    missing: [missing.error?.status, missing.error?.code],
    wrong: [wrong.error?.status, wrong.error?.errors?.[0]?.field],
    unchanged: unchanged.response.status,
    cancelled: cancelled.error?.status,
    lines: String(table.data).split("\n").length,
  }),
);
