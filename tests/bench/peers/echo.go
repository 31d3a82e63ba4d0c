// A goroutine for each client.
package main

import (
	"net"
	"os"
)

func serve(client net.Conn) {
	buffer := make([]byte, 65536)
	for n, err := client.Read(buffer); err == nil; n, err = client.Read(buffer) {
		client.Write(buffer[:n])
	}
	client.Close()
}

func main() {
	listener, _ := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	for {
		client, _ := listener.Accept()
		go serve(client)
	}
}
