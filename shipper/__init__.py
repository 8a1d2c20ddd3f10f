"""shipper builds a web app on your machine, proves it, and puts it on your server without losing a request."""

__version__ = "0.1.0"
