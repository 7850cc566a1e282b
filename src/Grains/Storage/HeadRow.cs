using System.Data.Common;

namespace Granary.Grains.Storage;

/// <summary>What a partition's head row says about the end of its log. <paramref name="NextOffset"/> is exclusive.</summary>
internal readonly record struct HeadRow(int LeaderEpoch, long NextOffset, ActiveSegment Active)
{
    /// <summary>The columns that <see cref="Read"/> reads, of a table named h.</summary>
    public const string Columns =
        "h.leader_epoch, h.next_offset, h.slab_id, h.segment_base, h.segment_bytes, h.segment_max_timestamp, h.segment_created_at";

    public const int ColumnCount = 7;

    public static HeadRow Read(DbDataReader reader, int at) => new(
        reader.GetInt32(at),
        reader.GetInt64(at + 1),
        new ActiveSegment(
            reader.GetInt32(at + 2),
            reader.GetInt64(at + 3),
            reader.GetInt64(at + 4),
            reader.GetInt64(at + 5),
            reader.GetDateTime(at + 6)));
}
