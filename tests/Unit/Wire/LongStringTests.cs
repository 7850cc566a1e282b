using System.Text;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Unit.Wire;

public sealed class LongStringTests
{
    [Theory]
    [InlineData("x", short.MaxValue, short.MaxValue)]
    [InlineData("x", short.MaxValue + 1, short.MaxValue / 3)]
    [InlineData("\uFFFD", short.MaxValue, short.MaxValue / 3)]
    [InlineData("😀", short.MaxValue, short.MaxValue / 3)]
    public void WriteString_BeyondTheOldForm_IsCutToWhatFits(string piece, int times, int expectedLength)
    {
        var text = string.Concat(Enumerable.Repeat(piece, times));

        var read = WriteAndRead(text, compact: false);

        Assert.Equal(expectedLength, read.Length);
        Assert.StartsWith(read[..^1], text, StringComparison.Ordinal);
        Assert.InRange(Encoding.UTF8.GetByteCount(read), 1, short.MaxValue);
        Assert.Equal(text, WriteAndRead(text, compact: true));
    }

    private static string WriteAndRead(string text, bool compact)
    {
        using var writer = new WireWriter(forFrame: false);
        writer.WriteString(text, compact);
        var reader = new WireReader(writer.Segments.SelectMany(segment => segment).ToArray());
        var read = reader.ReadString(compact, "text");
        Assert.Equal(0, reader.Remaining);
        return read;
    }
}
