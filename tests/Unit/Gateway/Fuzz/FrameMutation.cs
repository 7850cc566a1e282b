using System.Buffers.Binary;

namespace Granary.Unit.Gateway.Fuzz;

/// <summary>
/// Spoils a frame: bits, bytes, numbers and lengths at their edges, pieces cut out, doubled, or taken from another frame. Mostly the
/// frame's length is made right again and its key and version are spared, so that the damage arrives where bodies are read.
/// </summary>
internal static class FrameMutation
{
    private const int LengthBytes = sizeof(int);
    private const int KeyAndVersionBytes = 2 * sizeof(short);

    private static readonly int[] s_edges = [0, 1, -1, -2, 127, 128, 255, 256, short.MaxValue, short.MinValue, ushort.MaxValue, 1 << 20, 1 << 24, int.MaxValue, int.MinValue];

    public static byte[] Spoil(byte[] frame, byte[] other, Random random)
    {
        var spared = random.Next(12) == 0 ? 0 : LengthBytes + KeyAndVersionBytes;
        var bytes = frame.ToList();
        for (var changes = random.Next(1, 5); changes > 0 && bytes.Count > spared; changes--)
            SpoilOnce(bytes, random.Next(spared, bytes.Count), other, random);
        if (random.Next(8) == 0)
            bytes.AddRange(other);
        else if (random.Next(10) > 0 && bytes.Count >= LengthBytes)
            LengthOf(bytes.Count - LengthBytes).CopyTo(bytes);
        return [.. bytes];
    }

    public static byte[] LengthOf(int length)
    {
        var prefix = new byte[LengthBytes];
        BinaryPrimitives.WriteInt32BigEndian(prefix, length);
        return prefix;
    }

    private static void CopyTo(this byte[] prefix, List<byte> bytes)
    {
        for (var index = 0; index < prefix.Length; index++)
            bytes[index] = prefix[index];
    }

    private static void SpoilOnce(List<byte> bytes, int at, byte[] other, Random random)
    {
        switch (random.Next(9))
        {
            case 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 1:
                bytes[at] = (byte)(random.Next(2) * 255);
                break;
            case 2:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 3:
                bytes.RemoveRange(at, random.Next(bytes.Count - at));
                break;
            case 4:
                bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 40), bytes.Count - at)));
                break;
            case 5:
                // A length, a count or an id, in one of the sizes they have.
                var edge = LengthOf(s_edges[random.Next(s_edges.Length)]);
                var size = 1 << random.Next(3);
                for (var index = 0; index < size && at + index < bytes.Count; index++)
                    bytes[at + index] = edge[LengthBytes - size + index];
                break;
            case 6:
                var from = random.Next(other.Length);
                bytes.InsertRange(at, other.Skip(from).Take(random.Next(1, 64)));
                break;
            case 7:
                LengthenString(bytes, at, random);
                break;
            default:
                // One element becomes many: what amplifies.
                var piece = bytes.GetRange(at, Math.Min(random.Next(1, 30), bytes.Count - at));
                for (var times = random.Next(1, 100); times > 0; times--)
                    bytes.InsertRange(at, piece);
                break;
        }
    }

    /// <summary>The next thing behind a place that looks like a string becomes the longest that there can be: of letters, or of what is no UTF-8.</summary>
    private static void LengthenString(List<byte> bytes, int at, Random random)
    {
        for (; at + sizeof(short) < bytes.Count; at++)
        {
            var length = (bytes[at] << 8) | bytes[at + 1];
            var from = at + sizeof(short);
            if (length is 0 or > 100 || from + length > bytes.Count || !bytes.Skip(from).Take(length).All(letter => letter is >= (byte)' ' and <= (byte)'~'))
                continue;
            bytes.RemoveRange(at, sizeof(short) + length);
            bytes.InsertRange(at, [short.MaxValue >> 8, short.MaxValue & 0xff]);
            bytes.InsertRange(from, Enumerable.Repeat(random.Next(2) == 0 ? (byte)'9' : (byte)0xff, short.MaxValue));
            return;
        }
    }
}
