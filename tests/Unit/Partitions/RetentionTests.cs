using Granary.Abstractions.Topics;
using Granary.Grains.Partitions;
using Granary.Grains.Storage;

namespace Granary.Unit.Partitions;

public sealed class RetentionTests
{
    private static readonly DateTimeOffset s_now = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void NewLogStart_OfRandomLogs_DropsExactlyTheLongestPrefixThatMayGo() => Seeds.Run(500, random =>
    {
        var segments = new List<StoredSegment>();
        long offset = random.Next(10);
        var count = random.Next(6);
        for (var i = 0; i < count; i++)
        {
            var end = offset + random.Next(1, 10);
            segments.Add(new StoredSegment(offset, end, random.Next(1, 100), s_now.AddHours(-random.Next(0, 48)).ToUnixTimeMilliseconds(), s_now.AddHours(-48), i == count - 1 && random.Next(3) > 0));
            offset = end;
        }

        var settings = new TopicSettings
        {
            Retention = random.Next(3) == 0 ? null : TimeSpan.FromHours(random.Next(1, 48)),
            RetentionBytes = random.Next(2) == 0 ? null : random.Next(0, 300),
        };
        var logStart = segments.Count > 0 ? segments[0].BaseOffset : 0;
        var newStart = Retention.NewLogStart(segments, logStart, settings, s_now);

        // By size a segment goes where the rest still holds as much as may be kept; by time where all up to it are too old.
        var expected = logStart;
        for (var i = 0; i < segments.Count; i++)
        {
            var tooOld = settings.Retention is { } kept && segments.Take(i + 1).All(one => s_now - DateTimeOffset.FromUnixTimeMilliseconds(one.MaxTimestamp) > kept);
            var tooMuch = !segments[i].IsActive && settings.RetentionBytes is { } bytes && segments.Skip(i + 1).Sum(one => one.SizeBytes) >= bytes;
            if (tooOld || tooMuch)
                expected = segments[i].EndOffset;
        }

        Assert.Equal(expected, newStart);
    });

    [Fact]
    public void NewLogStart_WithoutTimes_GoesByTheNextSegmentsBeginning()
    {
        var settings = new TopicSettings { Retention = TimeSpan.FromHours(10) };
        StoredSegment[] segments =
        [
            new(0, 5, 10, -1, s_now.AddHours(-30), false),
            new(5, 9, 10, -1, s_now.AddHours(-11), false),
            new(9, 12, 10, -1, s_now.AddHours(-1), true),
        ];
        Assert.Equal(5, Retention.NewLogStart(segments, 0, settings, s_now));
        Assert.Equal(0, Retention.NewLogStart(segments[2..], 0, settings, s_now.AddYears(1)));
    }

    [Fact]
    public void NewLogStart_AfterDeletedRecords_NeverMovesBack()
    {
        var settings = new TopicSettings { Retention = null, RetentionBytes = 5 };
        StoredSegment[] segments = [new(0, 10, 10, 1, s_now, false), new(10, 20, 10, 1, s_now, true)];
        Assert.Equal(15, Retention.NewLogStart(segments, 15, settings, s_now));
    }
}
