//! A private PostgreSQL cluster: find, initialise, start on a unix socket, stop with us.
