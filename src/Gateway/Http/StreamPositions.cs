using System.Globalization;
using System.Text;
using Granary.Abstractions.Topics;
using Microsoft.AspNetCore.Http;

namespace Granary.Gateway.Http;

/// <summary>
/// Where a stream is: the offset to go on at in each of its partitions. As an event's id it is the topic's id and these, <c>6f0c…/0:41,1:17</c>: a topic that was
/// deleted and made anew has the same name and other records.
/// </summary>
internal sealed record StreamPositions(Guid TopicId, SortedDictionary<int, long> Offsets)
{
    public const string Header = "Last-Event-ID";

    public string ToId()
    {
        var id = new StringBuilder();
        foreach (var (partition, offset) in Offsets)
            id.Append(id.Length == 0 ? TopicId.ToString("N") + "/" : ",").Append(CultureInfo.InvariantCulture, $"{partition}:{offset}");
        return id.ToString();
    }

    /// <summary>Reads an event's id; refuses one of another topic. Without a topic's id, as people write it, it is of this one.</summary>
    public static StreamPositions Parse(string id, TopicDescription topic)
    {
        var slash = id.IndexOf('/', StringComparison.Ordinal);
        if (slash >= 0)
        {
            if (!Guid.TryParseExact(id[..slash], "N", out var topicId))
                throw Malformed(id[..slash]);
            if (topicId != topic.TopicId)
                throw new Problem(StatusCodes.Status404NotFound, $"{Header} is of another topic: '{topic.Name}' was deleted since then and made anew. Begin without it.") { Error = ErrorCode.UnknownTopicId, Field = Header };
        }

        var positions = new SortedDictionary<int, long>();
        foreach (var part in id[(slash + 1)..].Split(','))
        {
            var pair = part.Split(':');
            if (pair.Length != 2
                || !int.TryParse(pair[0], NumberStyles.None, CultureInfo.InvariantCulture, out var partition) || partition >= topic.PartitionCount
                || !long.TryParse(pair[1], NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
                || !positions.TryAdd(partition, offset))
                throw Malformed(part);
        }

        return new StreamPositions(topic.TopicId, positions);
    }

    /// <summary>No event of that log had this id: whoever waited there would wait for records that are others by then.</summary>
    public static Problem BeyondTheEnd(int partition, long offset, long end) =>
        new(StatusCodes.Status416RangeNotSatisfiable, $"{Header} says offset {offset} for partition {partition}, whose log ends at {end}. Begin without it.")
        {
            Error = ErrorCode.OffsetOutOfRange,
            Field = Header,
            More = new Dictionary<string, object?> { ["partition"] = partition, ["highWatermark"] = end },
        };

    private static Problem Malformed(string part) =>
        Problem.BadRequest(Header, $"{Header} has '{part[..Math.Min(part.Length, 40)]}': the id of an event of this stream is wanted, such as 0:41,1:17.");
}
