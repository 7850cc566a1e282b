using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Granary.Gateway.Kafka;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Support.Kafka;

/// <summary>A Kafka client with nothing hidden: sends any request in any version, or any bytes at all, and reads what comes back.</summary>
internal sealed class KafkaWire : IAsyncDisposable
{
    private const int LengthBytes = 4;

    private readonly Socket _socket;
    private int _lastCorrelationId;

    private KafkaWire(Socket socket) => _socket = socket;

    public string ClientId { get; init; } = "kafka-wire";

    public Socket Socket => _socket;

    public static async Task<KafkaWire> ConnectAsync(EndPoint endPoint, CancellationToken cancellation = default)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(endPoint, cancellation);
        return new KafkaWire(socket);
    }

    /// <summary>Sends a request; its correlation id.</summary>
    public async Task<int> SendAsync(short key, short version, Action<WireWriter> writeBody, CancellationToken cancellation = default)
    {
        var correlationId = ++_lastCorrelationId;
        await SendBytesAsync(FrameOf(key, version, correlationId, writeBody), cancellation);
        return correlationId;
    }

    /// <summary>Sends bytes as they are, without a length before them.</summary>
    public async Task SendBytesAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation = default)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await _socket.SendAsync(bytes, SocketFlags.None, cancellation)..];
    }

    /// <summary>The next reply, correlation id first, without its length; null where the server has closed the connection.</summary>
    public async Task<byte[]?> ReceiveAsync(CancellationToken cancellation = default)
    {
        var length = new byte[LengthBytes];
        if (!await FillAsync(length, cancellation))
            return null;
        var frame = new byte[BinaryPrimitives.ReadInt32BigEndian(length)];
        return await FillAsync(frame, cancellation) ? frame : null;
    }

    /// <summary>The next reply, read as what it is.</summary>
    public async Task<TResponse> ReceiveAsync<TResponse>(int correlationId, bool hasFlexibleHeader, ReadMessage<TResponse> read, short version, CancellationToken cancellation = default)
    {
        var frame = await ReceiveAsync(cancellation) ?? throw new EndOfStreamException("the server closed the connection");
        return Parse(frame, correlationId, hasFlexibleHeader, read, version);
    }

    public async Task<ProduceResponse> ProduceAsync(ProduceRequest request, short version, CancellationToken cancellation = default)
    {
        var isFlexible = ProduceRequest.IsFlexible(version);
        var id = await SendAsync(ProduceRequest.ApiKey, version, writer => request.Write(writer, version), cancellation);
        return await ReceiveAsync(id, isFlexible, ProduceResponse.Read, version, cancellation);
    }

    public async Task<FetchResponse> FetchAsync(FetchRequest request, short version, CancellationToken cancellation = default)
    {
        var isFlexible = FetchRequest.IsFlexible(version);
        var id = await SendAsync(FetchRequest.ApiKey, version, writer => request.Write(writer, version), cancellation);
        return await ReceiveAsync(id, isFlexible, FetchResponse.Read, version, cancellation);
    }

    public async Task<ApiVersionsResponse> ApiVersionsAsync(short version, CancellationToken cancellation = default)
    {
        var request = new ApiVersionsRequest { ClientSoftwareName = ClientId, ClientSoftwareVersion = "1" };
        var id = await SendAsync(ApiVersionsRequest.ApiKey, version, writer => request.Write(writer, version), cancellation);
        return await ReceiveAsync(id, false, ApiVersionsResponse.Read, version, cancellation);
    }

    /// <summary>A whole request frame, its length included.</summary>
    public byte[] FrameOf(short key, short version, int correlationId, Action<WireWriter> writeBody)
    {
        using var writer = new WireWriter();
        new RequestHeader(key, version, correlationId, ClientId).Write(writer);
        writeBody(writer);
        writer.PatchLength();
        return [.. writer.Segments.SelectMany(segment => segment)];
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private static TResponse Parse<TResponse>(byte[] frame, int correlationId, bool hasFlexibleHeader, ReadMessage<TResponse> read, short version)
    {
        var reader = new WireReader(frame);
        var answered = reader.ReadInt32();
        if (answered != correlationId)
            throw new InvalidDataException($"the reply is to request {answered}, not to {correlationId}");
        if (hasFlexibleHeader)
            reader.SkipTagged();
        var response = read(ref reader, version);
        if (reader.Remaining != 0)
            throw new InvalidDataException($"{reader.Remaining} bytes of the reply are left over");
        return response;
    }

    private async Task<bool> FillAsync(Memory<byte> memory, CancellationToken cancellation)
    {
        while (!memory.IsEmpty)
        {
            int received;
            try
            {
                received = await _socket.ReceiveAsync(memory, SocketFlags.None, cancellation);
            }
            catch (SocketException failure) when (failure.SocketErrorCode is SocketError.ConnectionReset)
            {
                return false;
            }

            if (received == 0)
                return false;
            memory = memory[received..];
        }

        return true;
    }
}
