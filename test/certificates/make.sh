#!/bin/sh
# Makes the certificates that the tests of tls:// use: an authority, what it signed for a plugin and for a host, and a host's of another authority. They are for tests alone.
set -eu
cd "$(dirname "$0")"
days=36500
authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$days" -subj "/CN=anyplug test $1" -keyout "$1.key" -out "$1.pem" \
    -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign"
}
signed() { # name, authority
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=anyplug test $1" -keyout "$1.key" -out "$1.csr"
  printf 'basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' > "$1.ext"
  openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -days "$days" -set_serial "0x$(openssl rand -hex 8)" -extfile "$1.ext" -out "$1.pem"
  rm "$1.csr" "$1.ext"
}
authority authority
authority stranger-authority
signed plugin authority
signed host authority
signed stranger stranger-authority
rm authority.key stranger-authority.key
