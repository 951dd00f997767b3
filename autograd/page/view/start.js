// All scripts have been read: draw.
page.start();
