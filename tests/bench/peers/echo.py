# A thread for each client.
import socket
import sys
import threading


def serve(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := connection.recv(65536):
        connection.sendall(data)
    connection.close()


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=4096)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],)).start()
