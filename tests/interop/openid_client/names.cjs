// Every name under localhost is this machine (RFC 6761), also where the resolver does not know it.
const dns = require("dns");
const lookup = dns.lookup;
dns.lookup = (name, options, callback) => {
  const done = callback || options;
  if (!String(name).endsWith(".localhost")) return lookup(name, options, callback);
  if (options && options.all) return process.nextTick(done, null, [{ address: "127.0.0.1", family: 4 }]);
  return process.nextTick(done, null, "127.0.0.1", 4);
};

// Debian 12's Node.js has the web's cryptography, but not under the web's name.
const { webcrypto } = require("crypto");
globalThis.crypto ??= webcrypto;
globalThis.CryptoKey ??= webcrypto.CryptoKey;
