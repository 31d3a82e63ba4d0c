package main

import (
	"net"
	"os"
)

func serve(client net.Conn) {
	defer client.Close()
	buffer := make([]byte, 65536)
	for {
		n, err := client.Read(buffer)
		if err == nil {
			_, err = client.Write(buffer[:n])
		}
		if err != nil {
			return
		}
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	for err == nil {
		var client net.Conn
		if client, err = listener.Accept(); err == nil {
			go serve(client)
		}
	}
	panic(err)
}
