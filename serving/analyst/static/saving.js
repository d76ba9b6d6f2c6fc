// A file that the service answered with, to the browser's downloads under the name that the service gave it.
export const save = async (response, fallback) => {
  const named = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") || "");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = named ? named[1] : fallback;
  link.click();
  URL.revokeObjectURL(link.href);
};
