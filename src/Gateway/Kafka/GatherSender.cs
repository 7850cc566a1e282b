using System.Net.Sockets;

namespace Granary.Gateway.Kafka;

/// <summary>
/// Writes many pieces of memory to a socket without joining them first. Cuts what is large into windows, so that a slow client's
/// progress is seen. One sender at a time.
/// </summary>
internal sealed class GatherSender(Socket socket, TimeProvider time)
{
    /// <summary>Half of what Linux gathers in one call (IOV_MAX).</summary>
    private const int MaxPieces = 512;

    private const int MaxWindowBytes = 1024 * 1024;

    private readonly List<ArraySegment<byte>> _pieces = [];
    private readonly List<ArraySegment<byte>> _window = [];
    private long _lastSent = time.GetTimestamp();

    /// <summary>When the client last took anything; a timestamp of the time provider.</summary>
    public long LastSent => Volatile.Read(ref _lastSent);

    public void Add(IEnumerable<ArraySegment<byte>> pieces) => _pieces.AddRange(pieces);

    /// <summary>Sends all that was added; the number of bytes.</summary>
    public async ValueTask<long> SendAsync()
    {
        long total = 0;
        var (piece, offset) = (0, 0);
        try
        {
            // A client that took nothing for long while there was nothing to take is no slow client.
            Volatile.Write(ref _lastSent, time.GetTimestamp());
            while (piece < _pieces.Count)
            {
                FillWindow(piece, offset);
                if (_window.Count == 0)
                    break;
                var sent = _window.Count == 1
                    ? await socket.SendAsync(_window[0].AsMemory(), SocketFlags.None)
                    : await socket.SendAsync(_window, SocketFlags.None);
                Volatile.Write(ref _lastSent, time.GetTimestamp());
                total += sent;
                (piece, offset) = Advance(piece, offset + sent);
            }
        }
        finally
        {
            _pieces.Clear();
            _window.Clear();
        }

        return total;
    }

    private void FillWindow(int piece, int offset)
    {
        _window.Clear();
        var room = MaxWindowBytes;
        while (piece < _pieces.Count && _window.Count < MaxPieces && room > 0)
        {
            var rest = _pieces[piece][offset..];
            var part = rest.Count > room ? rest[..room] : rest;
            if (part.Count > 0)
                _window.Add(part);
            room -= part.Count;
            piece++;
            offset = 0;
        }
    }

    private (int Piece, int Offset) Advance(int piece, int offset)
    {
        while (piece < _pieces.Count && offset >= _pieces[piece].Count)
        {
            offset -= _pieces[piece].Count;
            piece++;
        }

        return (piece, offset);
    }
}
