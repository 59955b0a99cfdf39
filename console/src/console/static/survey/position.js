// The phone's position, when its person asks for it. It is written behind the captions of the photos, for all to read.
const WITHIN_MS = 30000, OF_NOW_MS = 60000;

// Returns the degrees (WGS 84) with their accuracy as a text; rejects where the phone gives none.
export function findPosition() {
  return new Promise((resolve, reject) => {
    const take = ({ coords }) => resolve(`${coords.latitude.toFixed(5)}, ${coords.longitude.toFixed(5)} (±${Math.ceil(coords.accuracy)} m)`);
    if (!navigator.geolocation) reject(new Error("none"));
    else navigator.geolocation.getCurrentPosition(take, reject, { enableHighAccuracy: true, timeout: WITHIN_MS, maximumAge: OF_NOW_MS });
  });
}
