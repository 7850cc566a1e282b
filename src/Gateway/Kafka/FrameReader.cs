using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;

namespace Granary.Gateway.Kafka;

/// <summary>
/// Cuts what comes off a socket into frames: four bytes of length, then so many bytes. A large frame's bytes go from the socket straight
/// into the array that it is handed out in; only what shares a small buffer with another frame is copied once. Nothing is rented while
/// a connection is silent. One reader at a time.
/// </summary>
internal sealed class FrameReader(Socket socket, TimeProvider time) : IDisposable
{
    public const int LengthBytes = sizeof(int);

    /// <summary>Small enough that copying out of it costs less than another system call.</summary>
    private const int BufferBytes = 16 * 1024;

    private byte[]? _buffer;
    private int _start;
    private int _end;
    private long _lastReceived = time.GetTimestamp();
    private long _wholeBy = long.MaxValue;
    private volatile bool _isInsideFrame;

    /// <summary>When bytes last came; a timestamp of the time provider.</summary>
    public long LastReceived => Volatile.Read(ref _lastReceived);

    /// <summary>True while a frame has begun to come and is not yet whole.</summary>
    public bool IsInsideFrame => _isInsideFrame;

    /// <summary>True while a frame is still not whole after the time that it was given.</summary>
    public bool IsLate => time.GetTimestamp() > Volatile.Read(ref _wholeBy);

    /// <summary>Counts the client's silence from now on: it was not read from until now.</summary>
    public void ForgiveSilence() => Volatile.Write(ref _lastReceived, time.GetTimestamp());

    /// <summary>The next frame's length as the client says, whatever it is; null where the client has ended the connection between frames.</summary>
    /// <exception cref="EndOfStreamException">It ended within the length.</exception>
    public async ValueTask<int?> ReadLengthAsync(CancellationToken cancellation)
    {
        while (_end - _start < LengthBytes)
        {
            _isInsideFrame = _end > _start;
            if (await FillAsync(cancellation) > 0)
                continue;
            if (_end > _start)
                throw new EndOfStreamException($"the connection ended after {_end - _start} of the {LengthBytes} bytes of a frame's length");
            return null;
        }

        var length = BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(_start));
        _start += LengthBytes;
        _isInsideFrame = true;
        return length;
    }

    /// <summary>The frame whose length was read last, in an array of its own of exactly that length.</summary>
    /// <param name="length">As it was read.</param>
    /// <param name="within">After this time it is late.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="EndOfStreamException">The client ended the connection before the frame's end.</exception>
    public async ValueTask<byte[]> ReadBodyAsync(int length, TimeSpan within, CancellationToken cancellation)
    {
        Volatile.Write(ref _wholeBy, time.GetTimestamp() + (long)Math.Min(within.TotalSeconds * time.TimestampFrequency, long.MaxValue / 2));
        var frame = GC.AllocateUninitializedArray<byte>(length);
        var have = Math.Min(length, _end - _start);
        _buffer.AsSpan(_start, have).CopyTo(frame);
        _start += have;
        ReturnBufferIfEmpty();
        while (have < length)
        {
            var received = await ReceiveAsync(frame.AsMemory(have), cancellation);
            if (received == 0)
                throw new EndOfStreamException($"the connection ended after {have} of a frame's {length} bytes");
            have += received;
        }

        _isInsideFrame = false;
        Volatile.Write(ref _wholeBy, long.MaxValue);
        return frame;
    }

    public void Dispose()
    {
        _start = _end;
        ReturnBufferIfEmpty();
    }

    private async ValueTask<int> FillAsync(CancellationToken cancellation)
    {
        if (_buffer is null)
        {
            // Waits without memory: ten thousand silent connections hold no buffers.
            await socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None, cancellation);
            _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        }
        else if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        }

        _end -= _start;
        _start = 0;
        var received = await ReceiveAsync(_buffer.AsMemory(_end, BufferBytes - _end), cancellation);
        _end += received;
        return received;
    }

    private async ValueTask<int> ReceiveAsync(Memory<byte> memory, CancellationToken cancellation)
    {
        var received = await socket.ReceiveAsync(memory, SocketFlags.None, cancellation);
        Volatile.Write(ref _lastReceived, time.GetTimestamp());
        return received;
    }

    private void ReturnBufferIfEmpty()
    {
        if (_start < _end || _buffer is null)
            return;
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = null;
        _start = _end = 0;
    }
}
