# A thread for each client.
import socket, sys, threading


def serve(client):
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := client.recv(65536):
        client.sendall(data)
    client.close()


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=4096)
while True:
    threading.Thread(target=serve, args=listener.accept()[:1]).start()
