// Walks the four services with the clients that @hey-api/openapi-ts makes. tsc checks that the documents have the right
// types, and this program that the answers have them. Prints one line a step; the first thing that is wrong ends it.

import { client as forwarder } from "./forwarder/client.gen";
import * as forwarding from "./forwarder";
import { client as inventory } from "./inventory/client.gen";
import * as register from "./inventory";
import { client as prober } from "./prober/client.gen";
import * as probing from "./prober";
import { client as reporting } from "./reporting/client.gen";
import * as reports from "./reporting";

declare const process: { env: Record<string, string | undefined>; exitCode: number };

interface Answer {
  data?: unknown;
  error?: unknown;
  response: Response;
}

interface Refusal {
  status: number;
  code: string;
  errors?: Array<{ field: string; message: string }>;
}

const NOBODY = "00000000-0000-4000-8000-000000000000";

function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
  console.log(`ok ${what}`);
}

function found<T extends { data?: unknown; error?: unknown; response: Response }>(
  answer: T,
  status: number,
  what: string,
): NonNullable<T["data"]> {
  check(answer.response.status === status, `${what}: ${answer.response.status} ${JSON.stringify(answer.error ?? "")}`);
  return answer.data as NonNullable<T["data"]>;
}

function refused(answer: Answer, status: number, code: string, what: string): Refusal {
  const problem = answer.error as Refusal;
  check(answer.response.status === status && problem.status === status, `${what}: ${answer.response.status}`);
  check(answer.response.headers.get("content-type") === "application/problem+json", `${what}: a problem`);
  check(problem.code === code, `${what}: ${problem.code}`);
  return problem;
}

interface Page<T> {
  items: Array<T>;
  next: string | null;
  total: number | null;
}

/** Every page of one item each; `total` says how many there are. */
async function walked<T>(
  list: (query: { limit: number; cursor?: string; total: boolean }) => Promise<{ data?: unknown; response: Response }>,
  what: string,
): Promise<Array<T>> {
  const items: Array<T> = [];
  let cursor: string | undefined;
  for (;;) {
    const answer = await list({ limit: 1, total: true, ...(cursor === undefined ? {} : { cursor }) });
    const page = found(answer, 200, `${what}, page ${items.length + 1}`) as unknown as Page<T>;
    items.push(...page.items);
    if (page.next === null) {
      check(page.total === items.length, `${what}: ${items.length} of ${page.total}`);
      return items;
    }
    check((answer.response.headers.get("link") ?? "").includes('rel="next"'), `${what}: Link`);
    cursor = page.next;
  }
}

async function walkInventory(): Promise<void> {
  const body = { code: "TS-1", name: "Sở Y tế", role: "managing" } as const;
  const headers = { "Idempotency-Key": '"typescript-1"' };
  const made = await register.addAgency({ body, headers });
  const agency = found(made, 201, "inventory: create");
  const again = found(await register.addAgency({ body, headers }), 201, "inventory: create once more with its key");
  check(agency.id === again.id && agency.etag === made.response.headers.get("etag"), "inventory: made once");
  refused(await register.addAgency({ body }), 409, "conflict", "inventory: a code that is taken");
  const wrong = refused(await register.addAgency({ body: { ...body, code: "no code" } }), 422, "invalid", "inventory: 422");
  check(wrong.errors?.[0]?.field === "code", "inventory: 422 names the field");
  const path = { thing_id: agency.id };
  check(found(await register.getAgency({ path }), 200, "inventory: read").name === "Sở Y tế", "inventory: as written");
  refused(await register.getAgency({ path: { thing_id: NOBODY } }), 404, "not_found", "inventory: 404");
  const change = { path, body: { name: "Sở Y tế tỉnh" } };
  const bare = change as typeof change & { headers: { "If-Match": string } };
  refused(await register.changeAgency(bare), 428, "if_match_required", "inventory: a change without If-Match");
  const stale = await register.changeAgency({ ...change, headers: { "If-Match": '"99"' } });
  refused(stale, 412, "stale", "inventory: a change of another state");
  const changed = found(
    await register.changeAgency({ ...change, headers: { "If-Match": agency.etag } }), 200, "inventory: change",
  );
  check(changed.name === "Sở Y tế tỉnh" && changed.revision === 2, "inventory: changed");
  for (const code of ["TS-2", "TS-3"]) found(await register.addAgency({ body: { ...body, code } }), 201, `inventory: ${code}`);
  const agencies = await walked<register.AgencyResponse>((query) => register.listAgencies({ query }), "inventory: agencies");
  check(agencies.map((each) => each.code).join() === "TS-1,TS-2,TS-3", "inventory: in order");
  const sparse = found(await register.listAgencies({ query: { fields: "code" } }), 200, "inventory: fields");
  check(JSON.stringify(sparse.items[0]) === '{"code":"TS-1"}', "inventory: only these fields");
  const refusedQuery = await register.listAgencies({ query: { distrct: "461" } as never });
  check(refused(refusedQuery, 422, "invalid", "inventory: distrct").errors?.[0]?.field === "distrct", "inventory: by name");
  const csv = found(await register.exportAgenciesCsv({ parseAs: "text" }), 200, "inventory: CSV");
  check(String(csv).includes("TS-3"), "inventory: rows of the CSV");
  const xlsx = found(await register.exportAgenciesXlsx({ parseAs: "blob" }), 200, "inventory: XLSX") as Blob;
  check((await xlsx.slice(0, 2).text()) === "PK", "inventory: a workbook");
  const file = new Blob(["code,name,role\r\nTS-4,Sở Y tế,lead\r\n"], { type: "text/csv" });
  // The client writes JSON unless it is told that the body is one of the other kinds of the document.
  const raw = { bodySerializer: null, headers: { "Content-Type": "text/csv" } };
  const dry = await register.importAgencies({ ...raw, body: file, query: { dry_run: true } });
  check(found(dry, 200, "inventory: dry run").created >= 1, "inventory: its difference");
  const gone = await register.removeAgency({ path, headers: { "If-Match": changed.etag }, query: { reason: "nhập nhầm" } });
  found(gone, 204, "inventory: remove");
  refused(await register.getAgency({ path }), 410, "removed", "inventory: 410 after that");
}

async function walkProber(): Promise<void> {
  const cameras = await walked<probing.CameraStatus>((query) => probing.listCameras({ query }), "prober: cameras");
  const camera = cameras[0];
  check(camera !== undefined, "prober: a camera");
  const path = { camera_id: camera.camera_id };
  check(found(await probing.getCamera({ path }), 200, "prober: read").verdict === camera.verdict, "prober: its verdict");
  refused(await probing.getCamera({ path: { camera_id: NOBODY } }), 404, "camera_not_probed", "prober: 404");
  refused(await probing.listCameras({ query: { limit: 0 } }), 422, "invalid", "prober: 422");
  const scan = found(await probing.startScan({ body: { addresses: ["127.0.0.1:1"] } }), 202, "prober: a scan");
  const csv = found(
    await probing.getCamerasCsv({ path: { scan_id: scan.id }, parseAs: "text" }), 200, "prober: its cameras as CSV",
  );
  check(String(csv).includes("code"), "prober: headings");
  const metrics = found(await probing.probe({ query: { target: camera.camera_id }, parseAs: "text" }), 200, "prober: metrics");
  check(String(metrics).includes("probe_success"), "prober: probe_success");
  refused(await probing.approveReference({ path }), 409, "no_picture", "prober: no picture to approve");
}

async function walkForwarder(): Promise<void> {
  const deliveries = await walked<forwarding.DeliveryStatus>(
    (query) => forwarding.listDeliveries({ query }), "forwarder: deliveries",
  );
  const delivery = deliveries[0];
  check(delivery !== undefined, "forwarder: a delivery");
  const path = { delivery_id: delivery.delivery_id };
  refused(await forwarding.getDelivery({ path: { delivery_id: NOBODY } }), 404, "delivery_unknown", "forwarder: 404");
  refused(await forwarding.startDelivery({ path }), 409, "delivery_not_stopped", "forwarder: 409");
  refused(await forwarding.listDeliveries({ query: { sort: "nonsense" } }), 422, "invalid", "forwarder: 422");
  check(found(await forwarding.stopDelivery({ path, body: { reason: "thử" } }), 200, "forwarder: stop").stopped, "stopped");
  found(await forwarding.startDelivery({ path }), 200, "forwarder: start");
}

async function walkReporting(): Promise<void> {
  const body = {
    about: "obligation_due_soon", every_hours: 24, hours: 48, level: 1, name: "Sắp đến hạn", party: "responsible",
  } as const;
  const rule = found(await reports.addUrgingRule({ body }), 201, "reporting: create");
  refused(await reports.addUrgingRule({ body: { ...body, hours: -1 } }), 422, "invalid", "reporting: 422");
  refused(await reports.getUrgingRule({ path: { rule_id: NOBODY } }), 404, "not_found", "reporting: 404");
  // The service of the tests has no key to seal what it would sign with.
  const webhook = { name: "Bộ", url: "https://10.20.0.5/hooks/vong-gac" };
  refused(await reports.addWebhook({ body: webhook }), 409, "no_key", "reporting: 409");
  const path = { rule_id: rule.id };
  const read = await reports.getUrgingRule({ path });
  check(found(read, 200, "reporting: read").name === "Sắp đến hạn", "reporting: as written");
  const change = { path, body: { ...body, name: "Sắp quá hạn" } };
  const bare = change as typeof change & { headers: { "If-Match": string } };
  refused(await reports.replaceUrgingRule(bare), 428, "if_match_required", "reporting: 428");
  const stale = await reports.replaceUrgingRule({ ...change, headers: { "If-Match": '"99"' } });
  refused(stale, 412, "stale", "reporting: 412");
  const etag = read.response.headers.get("etag") ?? "";
  const changed = found(await reports.replaceUrgingRule({ ...change, headers: { "If-Match": etag } }), 200, "reporting: change");
  check(changed.name === "Sắp quá hạn", "reporting: changed");
  await walked<reports.UrgingRule>((query) => reports.listUrgingRules({ query }), "reporting: rules");
  const table = found(await reports.downloadCompliance({ parseAs: "text" }), 200, "reporting: compliance as CSV");
  check(String(table).split("\n").length > 2, "reporting: rows");
}

async function main(): Promise<void> {
  const auth = process.env["TOKEN"] ?? "";
  for (const [client, name] of [
    [inventory, "INVENTORY"], [prober, "PROBER"], [forwarder, "FORWARDER"], [reporting, "REPORTING"],
  ] as const) {
    client.setConfig({ baseUrl: process.env[name] ?? "", auth });
  }
  await walkInventory();
  await walkProber();
  await walkForwarder();
  await walkReporting();
  console.log("walked");
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
